"""Two records side by side: one person, or two. Both are decided with the person there, papers in hand."""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.identity import is_merged, matricules
from liaison.fhir.errors import NotFound
from liaison.services.pages.entering import go
from liaison.services.pages.identities import doubles, traits
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]


_UNDECIDED: Final = _("Choisissez le dossier qui reste.")
_REFUSED: Final = {
    403: _("Vous ne tenez pas l’identité des deux personnes : demandez à un membre de leurs équipes."),
    409: _("C’est déjà décidé : voici ce qu’il en est."),
    422: _("Deux INS différents sont deux personnes ; et le dossier qui a l’INS est celui qui reste."),
}


async def compare(request: Request) -> Response:
    """GET: both, side by side. POST: `decision` is `meme`, with the record that stays, or `autre`."""
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    one, other = [await _read(record, request.path_params[name]) for name in ("one", "other")]
    if one["id"] == other["id"]:
        raise NotFound
    if request.method == "GET":
        return _show(request, record, one, other)
    form = {name: str(value)[:90] for name, value in (await request.form()).items()}
    say = translations(language_of(request)).gettext
    stays = next((tree for tree in (one, other) if tree["id"] == form.get("reste")), None)
    if form.get("decision") != "autre" and stays is None:
        return _show(request, record, one, other, say(_UNDECIDED), 422)
    try:
        if stays is not None and form.get("decision") != "autre":
            goes = other if stays is one else one
            await record.operate("Patient/$merge", _named(("source-patient", goes), ("target-patient", stays)))
            return go(request, f"/dossiers/{stays['id']}/identite")
        await record.operate("Patient/$tell-apart", _named(("patient", one), ("other-patient", other)))
    except Refused as refused:
        if refused.answered not in _REFUSED:
            raise
        one, other = await _read(record, one["id"]), await _read(record, other["id"])
        return _show(request, record, one, other, say(_REFUSED[refused.answered]), refused.answered)
    return go(request, doubles.PATH)


async def _read(record: Record, id_: str) -> Tree:
    tree = await record.read(f"Patient/{id_}")
    if tree is None:
        raise NotFound
    return tree


def _named(*records: tuple[str, Tree]) -> Tree:
    parts = [{"name": name, "valueReference": {"reference": f"Patient/{tree['id']}"}} for name, tree in records]
    return {"resourceType": "Parameters", "parameter": parts}


def _show(request: Request, record: Record, one: Tree, other: Tree, error: str = "", status: int = 200) -> Response:
    say = translations(language_of(request)).gettext
    numbered = [tree for tree in (one, other) if matricules(tree)]
    return render(
        request,
        "identities/compare.html",
        status=status,
        error=error,
        people=[(tree["id"], identity(tree)) for tree in (one, other)],
        lines=traits.side_by_side(one, other, record.now(), say),
        # One that has the INS stays; two that have different ones are two people.
        may_stay=[tree["id"] for tree in (numbered or (one, other))],
        two_ins=len(numbered) == 2 and not set(matricules(one)) & set(matricules(other)),
        merged=is_merged(one) or is_merged(other),
    )
