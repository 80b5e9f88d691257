"""Qui a vu ce dossier ? The answer in visits, each with who, in which role, when, why, under which rule."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.purposes import Purpose
from liaison.auth.access.table import number_of
from liaison.auth.caller import Caller
from liaison.auth.journal.unmask import tokens_of_ins, tokens_of_traits, unmask
from liaison.auth.journal.visits import Visit, who_saw
from liaison.fhir.errors import TooCostly
from liaison.fhir.store.ids import Ids
from liaison.services.pages.audit.rules_then import RulesThen
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.kinds import KINDS, OTHER
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name, signed_in

REASONS: Final = (
    _("Demande du patient"),
    _("Contrôle régulier"),
    _("Accès d'urgence à revoir"),
    _("Signalement"),
)


PURPOSES: Final = {
    Purpose.TREAT: _("Soins"),
    Purpose.ETREAT: _("Urgence"),
    Purpose.COORD: _("Coordination"),
    Purpose.PATRQT: _("Demande de la personne"),
    Purpose.HOPERAT: _("Contrôle et gestion"),
}
AT_ONCE: Final = 50
NEVER_NAMED: Final = frozenset({"26b"})
PERSONS: Final = frozenset({"patient", "guardian"})
"""They ask about a record that they see; another one is not there. An auditor sees none, and asks about any."""


@dataclass(frozen=True, slots=True)
class Line:
    """One visit, with names looked up in the directory under the reader's own rights."""

    visit: Visit
    name: str
    software: str  # through which a person acted; software that acts alone is the name
    role: str
    organization: str
    kinds: list[str]
    minutes: int
    purposes: list[str]
    rule: str
    rule_text: str
    version: str  # of the rules at that time, when others are in force now


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
    if me.role_code in PERSONS:
        await patient_or_404(record, request.path_params["id"])
    visits, refusals = await _visits(house, caller, request.path_params["id"])
    names = await directory_names(record, visits)
    gettext = translations(language_of(request)).gettext
    then = await RulesThen.of(house.database)
    own = {"patient": gettext(_("La personne elle-même")), "represented": gettext(_("Le représentant légal"))}
    lines = [
        Line(
            visit=visit,
            name=own.get(visit.practitioner) or names.get(visit.practitioner) or _unnamed(visit, gettext),
            software=visit.software if visit.practitioner else "",
            role=role_name(visit.role_code, gettext),
            organization=names.get(visit.organization, ""),
            kinds=sorted({gettext(KINDS.get(type_, OTHER)) for type_ in visit.types}),
            minutes=round((visit.until - visit.since).total_seconds() / 60),
            purposes=sorted(gettext(PURPOSES[purpose]) for purpose in visit.purposes if purpose in PURPOSES),
            rule=main_rule(visit.rules),
            rule_text=_translated(then.at(visit.until).texts.get(main_rule(visit.rules), ""), gettext),
            version=then.at(visit.until).version,
        )
        for visit in visits
        if visit.read or visit.written or visit.refused or visit.asked or visit.emergency
    ]
    return render(
        request,
        "audit/visits.html",
        lines=lines,
        id=request.path_params["id"],
        own=me.role_code == "patient",
        too_many_refusals=not refusals,
    )


def _translated(text: str, gettext: Callable[[str], str]) -> str:
    return gettext(text) if text else ""


def _unnamed(visit: Visit, gettext: Callable[[str], str]) -> str:
    if visit.practitioner:
        return gettext(_("Une personne"))
    return visit.software or gettext(_("Un logiciel"))


async def _visits(house: Any, caller: Caller, patient_id: str) -> tuple[list[Visit], bool]:
    """The visits, and whether refusals were looked through: where there are too many, the visits still show."""
    try:
        return await who_saw(house.audit, house.journal, caller, patient_id), True
    except TooCostly:
        return await who_saw(house.audit, house.journal, caller, patient_id, refusals=False), False


def main_rule(rules: Iterable[str]) -> str:
    """The row of the table that opened the record: the first that applied. Many apply at once, most of them to nothing
    that was read; and row 26b is never named, as naming it would hint at what it protects."""
    return min((rule for rule in rules if rule not in NEVER_NAMED), key=number_of, default="")


async def directory_names(record: Record, visits: Iterable[Visit]) -> dict[str, str]:
    """What the directory calls each practitioner and organisation: one search a type."""
    wanted = sorted({r for v in visits for r in (v.practitioner, v.organization) if "/" in r})
    names = {}
    for type_ in ("Practitioner", "Organization"):
        ids = [reference.partition("/")[2] for reference in wanted if reference.startswith(f"{type_}/")]
        for start in range(0, len(ids), AT_ONCE):
            asked = {"_id": ",".join(ids[start : start + AT_ONCE]), "_count": str(AT_ONCE)}
            for tree in await record.search(type_, asked):
                named = human_name(tree) if type_ == "Practitioner" else str(tree.get("name", ""))
                names[f"{type_}/{tree['id']}"] = named
    return names
