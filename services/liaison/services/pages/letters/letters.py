"""The queue of letters of an attending doctor (R.1111-48): accesses in an emergency, entries into the team, oppositions
withdrawn, of people who have neither an account here nor an e-mail address. A letter is printed, then said to be sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.roles import ROLES
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import clock
from liaison.services.pages.calendar_words import moment_said
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.opposing.confirming import name_of
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.contact import postal, ways
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.reading.written import text_of
from liaison.services.pages.record import Record
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]
BY_LETTER: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationMode", "code": "MAILWRIT"}
_MOST: Final = 200
DOCTORS: Final = frozenset(code for code, role in ROLES.items() if role.doctor)
"""Who can be someone's attending doctor, to whom the notices of accesses are addressed."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice that waits to be sent."""

    id: str
    who: Identity
    at: datetime | None
    text: str


async def waiting(request: Request, record: Record, me: Me) -> list[tuple[Tree, Tree]]:
    """(notice, Patient) of what is addressed to this doctor and reaches the person by nothing else, oldest first."""
    mine = ",".join(one for one in (me.role_reference, me.person) if one)
    asked = {"category": f"{vocabulary.REVIEW}|notice", "recipient": mine, "_sort": "sent", "_count": "100"}
    notices = [tree for tree in await found(record, "Communication", asked, _MOST) if not _sent(tree)]
    people: dict[str, Tree | None] = {}
    for tree in notices:
        subject = str(tree["subject"]["reference"])
        if subject not in people:
            people[subject] = await record.read(subject)
    reached = await _with_account(request, people)
    return [
        (tree, patient)
        for tree in notices
        if (patient := people[str(tree["subject"]["reference"])]) is not None
        and tree["subject"]["reference"] not in reached
        and not ways(patient, "email", record.now())
    ]


async def _with_account(request: Request, people: dict[str, Tree | None]) -> set[str]:
    house = request.app.state.house
    numbers = {key.patient: text for text in people if (key := house.store.key(*text.split("/", 1))) is not None}
    with faults.reported():
        rows = await house.database.reading.fetch(
            "select distinct fhir_patient from account where active and fhir_patient = any($1::bigint[])",
            sorted(numbers),
        )
    return {numbers[row["fhir_patient"]] for row in rows}


def _sent(notice: Tree) -> bool:
    return any(
        one.get("code") == BY_LETTER["code"] for medium in notice.get("medium", []) for one in medium.get("coding", [])
    )


async def letters(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    queue = await waiting(request, record, me)
    lines = [
        Letter(str(tree["id"]), identity(patient), moments.happened(tree), text_of(tree)) for tree, patient in queue
    ]
    return render(request, "letters/letters.html", letters=lines)


async def _one(request: Request) -> tuple[Record, Me, Tree, Tree]:
    """The notice that the address names, if it is in this doctor's queue; else NotFound."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    for tree, patient in await waiting(request, record, me):
        if tree["id"] == request.path_params["id"]:
            return record, me, tree, patient
    raise NotFound


async def letter(request: Request) -> Response:
    """The letter as a PDF."""
    record, me, tree, patient = await _one(request)
    language = language_of(request)
    gettext = translations(language).gettext
    at, by = moments.happened(tree), await name_of(record, tree.get("sender") or {})
    when = moment_said(at.astimezone(moments.PARIS), "d MMMM y, HH:mm", language) if at else ""
    parts = [
        Part("text", f"{me.name}, {me.role_label}"),
        Part("text", me.organization_name),
        Part("heading", identity(patient).full),
        *[Part("text", line) for line in postal(patient, record.now())],
        Part("title", gettext(TITLE)),
        Part("text", colon(gettext, when, text_of(tree))),
    ]
    if by:
        parts.append(Part("text", gettext(_("Par : {name}.")).format(name=by)))
    parts += [Part("text", gettext(one)) for one in _BODY]
    parts += [Part("blank"), Part("field", gettext(_("Date"))), Part("field", gettext(_("Signature")))]
    return printed(request, parts, gettext(TITLE), language, "lettre")


TITLE: Final = _("Un accès à votre dossier partagé")
_BODY: Final = (
    _("Vous pouvez savoir qui a ouvert votre dossier, demander des explications, et vous opposer à tout partage ou à l'accès d'urgence."),
    _("Cet accès est revu par une personne indépendante de celle qui l'a ouvert (code de la santé publique, articles L.1111-17 et R.1111-48)."),
)  # fmt: skip


async def sent(request: Request) -> Response:
    """It has been posted: who says so, and when, stays with the notice."""
    record, me, tree, _patient = await _one(request)
    said = {"time": clock.now(request).isoformat(timespec="seconds"), "text": "Lettre envoyée à la personne."}
    note = {**said, "authorReference": {"reference": me.person}}
    medium = [*tree.get("medium", []), {"coding": [BY_LETTER]}]
    await record.update({**tree, "medium": medium, "note": [*tree.get("note", []), note]})
    return RedirectResponse("/lettres", status_code=303)
