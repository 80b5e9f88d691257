"""The tray: each visit with why it waits and what it says, and two ways out: into the record, or left aside with a reason.

Who empties it sees a visit only where the person's record is open to them; filing it is an act of their own, in their own
name beside the author's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid5

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.entry import Entry, Event, entry
from liaison.auth.people import sent_visits
from liaison.auth.people.sent_visits import Sent
from liaison.fhir.errors import BadRequest
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.protocols.amending import Recorded
from liaison.protocols.answers import items, problems
from liaison.protocols.forms import FORM, canonical, form_of
from liaison.protocols.visit import Visit, transaction
from liaison.services import visit_forms
from liaison.services.delivery import waiting as delivered
from liaison.services.delivery.letter import OPPOSITION, RETURN, VISIT
from liaison.services.delivery.waiting import Waiting
from liaison.services.house import House
from liaison.services.pages import clock, once
from liaison.services.pages.home_care import again, answering, comparing
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.opposing.opposing import ACTS, MEANS
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import SignedIn, address_of, signed_in

Tree = dict[str, Any]
LONGEST: Final = 500
_REASONS: Final = {
    "unreadable": _("Ce que le téléphone a envoyé ne peut pas être lu. Demandez à l'aide de redire sa visite."),
    "permit": _("Le téléphone n'avait pas de tournée de notre service."),
    "device": _("La visite n'est pas signée par le téléphone qui avait la tournée."),
    "person": _("Cette personne n'était pas dans la tournée du téléphone."),
    "hours": _("La visite a été écrite hors des heures de la tournée."),
    "late": _("La visite est arrivée plus de trois jours après."),
    "another": _("Une autre visite est déjà enregistrée pour ce passage."),
    "answers": _("Une réponse manque, ou n'est pas possible."),
    "unfinished": _("L'aide n'avait pas fini d'écrire cette visite."),
    "opposed": _("La personne s'était opposée avant la visite."),
    "refused": _("Le dossier n'a pas accepté la visite."),
    "ended": _("Le téléphone était retiré, ou le compte de l'aide était fermé."),
    "correction": _(
        "Elle corrige une visite qui ne se corrige plus toute seule : alerte déjà vue, visite changée, ou trop tard."
    ),
    "named": _("La personne s'oppose à ce que quelqu'un voie son dossier. Notez-le : d'ici là, rien ne lui est fermé."),
}
_OPPOSED: Final = {
    "act": _("À quoi s'oppose-t-elle ?"),
    "named": _("Si c'est à une personne : laquelle ?"),
    "means": _("Comment l'a-t-elle dit ?"),
}
_NOT_FILED: Final = frozenset({"unreadable", "opposed", "answers"})
"""Why it waits, where it cannot go into the record as it is."""


@dataclass(frozen=True, slots=True)
class Line:
    """One visit of the tray. `who` is None where the person's record is not open; then nothing of what was said is shown."""

    handle: str
    reason: str
    author: str
    written: datetime | None
    received: datetime
    who: Identity | None
    patient: str
    said: list[tuple[str, str]]
    fits: bool
    kind: str


async def tray(request: Request) -> Response:
    return await (_settle(request) if request.method == "POST" else _show(request))


async def _show(request: Request, problem: str = "") -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    record = Record(house.engine, signed.caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    found = await delivered.waiting(house, signed.caller.organization)
    lines = [await _line(record, one, await _form(house, one), gettext) for one in found]
    await _journal(request, house, signed, [one for one, line in zip(found, lines, strict=True) if line.said])
    return render(request, "checking/tray.html", status=400 if problem else 200, lines=lines, problem=problem)


async def _journal(request: Request, house: House, signed: SignedIn, shown: list[Waiting]) -> None:
    """What was shown of somebody is an access, although the record does not hold it yet."""
    if not shown:
        return
    told = FhirRequest("GET", "a-verifier", address=address_of(request))
    with faults.reported():
        await house.journal.record(
            tuple(
                entry(
                    signed.caller,
                    Event.OPERATION,
                    patient=one.sent.patient,
                    request=told,
                    detail={"waits": one.sent.why},
                )
                for one in shown
            )
        )


async def _line(record: Record, one: Waiting, form: Tree, gettext: Gettext) -> Line:
    patient = await record.read(f"Patient/{one.patient}") if one.patient else None
    said = [] if patient is None else list(_said(one, form, gettext))
    return Line(
        handle=f"{one.sent.visit}.{one.sent.digest.hex()}",
        reason=gettext(_REASONS[one.sent.why]),
        author=str(one.aide.get("display", "")),
        written=one.written,
        received=one.sent.received_at,
        who=identity(patient) if patient is not None else None,
        patient=one.patient if patient is not None else "",
        said=said,
        kind=one.kind,
        fits=one.kind == VISIT
        and patient is not None
        and one.sent.why not in _NOT_FILED
        and not problems(form, _answers(one, form)),
    )


def _said(one: Waiting, form: Tree, gettext: Gettext) -> Iterator[tuple[str, str]]:
    """Question and answer in words; an answer that the form does not know, as it was typed."""
    if one.kind == OPPOSITION:
        words = {"act": dict(ACTS), "means": dict(MEANS)}
        for name, asked in _OPPOSED.items():
            for value in one.form.get(name, []):
                yield gettext(asked), gettext(known) if (known := words.get(name, {}).get(value)) else value
        return
    if one.kind == RETURN:
        yield gettext(_("L'hôpital")), gettext(_("Sorti(e), de retour à la maison"))
        return
    answers, questions = _answers(one, form), [*items(form)]
    wrong = problems(form, answers)
    sound = {link: answer for link, answer in answers.items() if link not in wrong}
    yield from ((row.question, row.now) for row in comparing.rows([], comparing.as_items(questions, sound), gettext))
    for item in questions:
        if item.link in wrong and item.link in answers:
            yield gettext(item.text), ", ".join(one.form.get(item.link, []))


def _answers(one: Waiting, form: Tree) -> dict[str, Any]:
    filled = FormData([(name, value) for name, values in one.form.items() for value in values])
    when = (one.written or one.sent.received_at).astimezone(clock.PARIS)
    return answering.answered(filled, form, when)


async def _form(house: House, one: Waiting) -> Tree:
    """The version that was filled in."""
    address = one.asked or FORM
    return form_of(await visit_forms.known(house.database, [address]), address)


async def _settle(request: Request) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    form = await request.form()
    visit, digest = _handle(form)
    gettext = translations(language_of(request)).gettext
    async with once.alone(house, f"visit {visit}"):
        one = await delivered.one_waiting(house, signed.caller.organization, visit, digest)
        if one is None:  # somebody else was faster
            return RedirectResponse("/a-verifier", status_code=303)
        if form.get("decision") == "file":
            if not await _filed(request, signed, one):
                return await _show(request, gettext(_("Cette visite ne peut pas être rangée telle quelle.")))
            await delivered.settle(
                house, signed.caller, one, filed=True, told=_decided(request, signed, house, one, "file")
            )
        else:
            why = str(form.get("why", "")).strip()[:LONGEST]
            if not why:
                return await _show(request, gettext(_("Dites pourquoi cette visite n'est pas rangée.")))
            told = _decided(request, signed, house, one, "leave")
            await delivered.settle(house, signed.caller, one, filed=False, told=told, word=why)
    return RedirectResponse("/a-verifier", status_code=303)


def _decided(request: Request, signed: SignedIn, house: House, one: Waiting, decision: str) -> Entry:
    told = FhirRequest("POST", "a-verifier", address=address_of(request))
    detail = {"decided": decision}
    return entry(signed.caller, Event.OPERATION, patient=_number(house, one), request=told, detail=detail)


async def _filed(request: Request, signed: SignedIn, one: Waiting) -> bool:
    """By whoever empties the tray, with their own right: the author of the visit is named as its source. What corrects a recorded
    visit is added to it as a word: it is not another visit."""
    house: House = request.app.state.house
    record = Record(house.engine, signed.caller, address_of(request))
    form = await _form(house, one)
    answers = _answers(one, form)
    if (
        one.kind != VISIT
        or one.sent.why in _NOT_FILED
        or problems(form, answers)
        or await record.read(f"Patient/{one.patient}") is None
    ):
        return False
    made = Visit(
        id=_number_of(one.sent),
        patient=f"Patient/{one.patient}",
        aide=one.aide or signed.me.signature,
        service=one.service or {"reference": signed.me.organization_reference, "display": signed.me.organization_name},
        answers=answers,
        recorded=clock.now(request),
        device_time=one.written,
        transcribed_by=signed.me.signature,
        asked=canonical(form),
    )
    if one.corrects is not None and (kept := await _corrected(house, record, one.corrects)) is not None:
        typed = next(iter(one.form.get("start", [])), "")
        same = replace(made, answers=answering.same_start(answers, typed, kept.encounter))
        return bool(await again.add(record, same, kept, [*items(form)]))
    await record.transact(transaction(await visit_forms.known(house.database, [made.asked]), made))
    return True


async def _corrected(house: House, record: Record, number: UUID) -> Recorded | None:
    """The recorded visit of this number, or what was filed from here of what came under it."""
    with faults.reported():
        came = await sent_visits.known(house.database.reading, number)
    for one in (number, *map(_number_of, came)):
        if (kept := await again.recorded(record, one)) is not None:
            return kept
    return None


def _number_of(sent: Sent) -> UUID:
    """Under which it is filed from here: one of its own, since the one that it came under may be another visit's."""
    return uuid5(sent.visit, sent.digest.hex())


def _number(house: House, one: Waiting) -> int:
    key = house.store.key("Patient", one.patient)
    return key.patient if key is not None else one.sent.patient


def _handle(form: Mapping[str, Any]) -> tuple[UUID, bytes]:
    number, _dot, digest = str(form.get("one", "")).partition(".")
    try:
        return UUID(number), bytes.fromhex(digest)
    except ValueError:
        raise BadRequest("The visit is not named.") from None
