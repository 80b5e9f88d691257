"""Qui a vu ce dossier ? The answer in visits, each with who, in which role, when, why, under which rule."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.unmask import tokens_of_ins, tokens_of_traits, unmask
from liaison.auth.journal.visits import Visit, who_saw
from liaison.fhir.store.ids import Ids
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading.sentences import KINDS
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, signed_in


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


REASONS: Final = (
    _("Demande du patient"),
    _("Contrôle régulier"),
    _("Accès d'urgence à revoir"),
    _("Signalement"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One visit, with names looked up in the directory under the reader's own rights."""

    visit: Visit
    name: str
    role: str
    organization: str
    kinds: list[str]
    minutes: int


async def questions(request: Request) -> Response:
    """The six questions; this one is answered by an identity and a reason, never by browsing."""
    if request.method == "GET":
        await signed_in(request)
        return render(request, "audit/questions.html", reasons=REASONS, error="", given={})
    caller, _me = await signed_in(request)
    house = request.app.state.house
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    tokens = _tokens(house.vault, form)
    if not tokens or form.get("reason") not in REASONS:
        error = _("Il faut un matricule INS, ou le nom, le prénom et la date de naissance, et un motif.")
        return _again(request, error, form, 400)
    found = await unmask(house.database.reading, house.journal, caller, tokens, form["reason"])
    if not found:
        return _again(request, _("Personne n'est connu sous cette identité."), form, 404)
    if len(found) > 1:
        return _again(request, _("Plusieurs dossiers portent cette identité : donnez le matricule INS."), form, 409)
    ids = Ids(house.vault.id_key)
    return RedirectResponse(f"/journal/dossiers/{ids.encode(found[0])}", status_code=303)


def _again(request: Request, error: str, form: dict[str, str], status: int) -> Response:
    gettext = translations(language_of(request)).gettext
    return render(
        request, "audit/questions.html", status=status, reasons=REASONS, error=gettext(error), given=form
    )  # fmt: skip


def _tokens(vault: Any, form: dict[str, str]) -> list[tuple[int, bytes]]:
    if form.get("ins"):
        return tokens_of_ins(vault, form["ins"])
    try:
        birth = date.fromisoformat(form.get("birth", ""))
    except ValueError:
        return []
    if not form.get("family") or not form.get("given"):
        return []
    return tokens_of_traits(vault, form["family"], form["given"], birth)


async def visits_to(request: Request) -> Response:
    """Everyone who opened this record, latest first. The patient and the representative see their own."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    record = Record(house.engine, caller, address_of(request))
    visits = await who_saw(house.audit, house.journal, caller, request.path_params["id"])
    names = await directory_names(record, visits)
    gettext = translations(language_of(request)).gettext
    own = {"patient": gettext(_("La personne elle-même")), "represented": gettext(_("Le représentant légal"))}
    lines = [
        Line(
            visit=visit,
            name=own.get(visit.practitioner) or names.get(visit.practitioner, gettext(_("Un logiciel"))),
            role=role_name(visit.role_code, gettext),
            organization=names.get(visit.organization, ""),
            kinds=sorted(KINDS.get(type_, type_) for type_ in visit.types),
            minutes=round((visit.until - visit.since).total_seconds() / 60),
        )
        for visit in visits
        if visit.read or visit.written or visit.refused or visit.emergency
    ]
    return render(
        request, "audit/visits.html", lines=lines, id=request.path_params["id"], own=me.role_code == "patient"
    )


async def directory_names(record: Record, visits: Iterable[Visit]) -> dict[str, str]:
    """What the directory calls each practitioner and organisation."""
    wanted = {r for v in visits for r in (v.practitioner, v.organization) if "/" in r}
    names = {}
    for reference in sorted(wanted):
        tree = await record.read(reference)
        if tree is not None:
            names[reference] = human_name(tree) if reference.startswith("Practitioner/") else str(tree.get("name", ""))
    return names
