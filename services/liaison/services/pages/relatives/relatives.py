"""Proches: those close to the person and how to reach them. Staff add one, also who represents the person, once they have
seen the judgment or the document; and take one away.

Whether somebody may is decided by the engine: who writes it, and who states a representation.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import extension
from liaison.auth.access.letting_in import STATE_NOBODY
from liaison.fhir.errors import Forbidden
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.notebook.readers import called
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.relatives.stating import LINKS, MEASURES, NotStated, decided, ended, relative
from liaison.services.pages.role_names import CHECKERS
from liaison.services.pages.signed_in import Me, address_of, signed_in
from liaison.services.pages.writable import writable

Tree = dict[str, Any]
_MOST: Final = 50


class Relative(NamedTuple):
    """`measure`: by which they represent the person, or did; '' for who does not. `until`: when that is, or was, `over`."""

    reference: str
    name: str
    phones: list[str]
    measure: str
    until: datetime | None
    over: bool


async def relatives(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patient = await patient_or_404(record, request.path_params["id"])
    if request.method == "GET":
        return await _show(request, record, patient, me)
    form = {name: str(value).strip()[:100] for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    try:
        await _change(record, patient, me, form)
    except NotStated as problem:
        words = gettext(problem.words)
        return await _show(request, record, patient, me, form, words, problem.field, 422)
    except Refused as refused:
        if refused.answered != 403:
            raise
        words = gettext(_("Votre rôle ne permet pas cette action."))
        return await _show(request, record, patient, me, form, words, status=403)
    return RedirectResponse(f"/dossiers/{patient['id']}/proches", status_code=303)


async def _change(record: Record, patient: Tree, me: Me, form: Mapping[str, str]) -> None:
    if not me.role_reference:
        raise Forbidden("Staff note relatives.")
    act = form.get("act")
    if act == "add":
        await record.create(relative(patient, form, me.role_reference, record.now().date()))
        return
    one = next((tree for tree in await _listed(record, patient) if tree["id"] == form.get("relative")), None)
    if one is None or act not in ("decide", "end", "leave"):
        raise NotStated("", _("Cette personne n’est plus parmi les proches."))
    if act == "decide":
        changed = decided(one, patient, form, me.role_reference, record.now().date())
    else:
        changed = ended(one) if act == "end" else {**one, "active": False}
    await record.update(changed)


async def _listed(record: Record, patient: Tree) -> list[Tree]:
    """Those of today, and those whose measure is over, which a judge may renew; by name."""
    known = await found(record, "RelatedPerson", {"patient": f"Patient/{patient['id']}", "_count": str(_MOST)}, _MOST)
    now = record.now()
    close = [
        one
        for one in known
        if one.get("active", True)
        and (moments.covers(period := one.get("period") or {}, now) or (_represents(one) and moments.over(period, now)))
    ]
    return sorted(close, key=lambda one: called(one).casefold())


async def _show(
    request: Request,
    record: Record,
    patient: Tree,
    me: Me,
    form: Mapping[str, str] | None = None,
    error: str = "",
    wrong: str = "",
    status: int = 200,
) -> Response:
    gettext = translations(language_of(request)).gettext
    # In this very record: to a social worker, the identity is open to read alone, but in a record that they opened themselves.
    may = bool(me.role_reference) and await writable(request, record.caller, f"Patient/{patient['id']}", Class.FILE)
    told = [_told(tree, record, gettext) for tree in await _listed(record, patient)]
    chosen = (form or {}).get("relative") or request.query_params.get("proche", "")
    return render(
        request,
        "relatives/relatives.html",
        status=status,
        patient=patient,
        who=identity(patient),
        today=record.now().date(),
        relatives=told,
        decided=next((one for one in told if one.reference == chosen), None),
        may_write=may,
        may_state=me.role_code not in STATE_NOBODY,
        checks=me.role_code in CHECKERS,
        links=[(code, words) for code, (words, _system) in LINKS.items()],
        measures=list(MEASURES.items()),
        given=form or {},
        error=error,
        wrong=wrong,
    )


def _represents(tree: Tree) -> str:
    """By which measure; '' for who never did."""
    return str(extension(extension(tree, vocabulary.REPRESENTATION), "measure").get("valueCode", ""))


def _told(tree: Tree, record: Record, gettext: Gettext) -> Relative:
    measure = _represents(tree)
    return Relative(
        str(tree["id"]),
        called(tree) or gettext(_("Sans nom")),
        ways(tree, "phone", record.now()),
        gettext(_REPRESENTING[measure]) if measure in _REPRESENTING else "",
        moments.ending(str(end)) if (end := (tree.get("period") or {}).get("end")) else None,
        moments.over(tree.get("period") or {}, record.now()),
    )


_REPRESENTING: Final = {
    "tutelle": _("représente la personne : tutelle"),
    "habilitation": _("représente la personne : habilitation familiale"),
    "parental-authority": _("représente la personne : autorité parentale"),
}
