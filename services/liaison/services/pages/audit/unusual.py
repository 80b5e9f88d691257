"""Accès inhabituels: what the rules found, each with its sentences and facts, and its review by the same four outcomes.

Each reading and each word is an entry of the journal before the page leaves.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.audit_event import identifier
from liaison.auth.journal.entry import Event, entry
from liaison.auth.unusual import accesses
from liaison.auth.unusual.accesses import Access, Fired
from liaison.auth.unusual.table import rules
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages.audit.to_review import OUTCOMES, REFUSALS, Line, Note, Person, due_by, people, show_line
from liaison.services.pages.clock import PARIS
from liaison.services.pages.entering import asked, go, note
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

PATH: Final = "/journal/inhabituels"
KIND: Final = _("Accès inhabituel")
_ANSWERED: Final = (BadRequest, Forbidden, Conflict, PreconditionFailed)


async def lines(request: Request, record: Record, gettext: Gettext, *, counted: bool = False) -> list[Line]:
    """Those of the caller, journaled. `counted`: every one, without what was found and said."""
    caller, _me = await signed_in(request)
    reading = request.app.state.house.database.reading
    with faults.reported():
        found = await accesses.seen(reading, caller, None if counted else accesses.MOST)
    told = entry(
        caller, Event.JOURNAL_READ, request=asked(request), returned=len(found), detail={"act": Act.MANY_UNUSUAL}
    )
    await note(request, told)
    return await _lines(request, record, found, gettext, bare=counted)


async def review(request: Request) -> Response:
    """GET: one of them. POST: its review."""
    caller, _me = await signed_in(request)
    house, gettext = request.app.state.house, translations(language_of(request)).gettext
    record = Record(house.engine, caller, address_of(request))
    number = number_of(str(request.path_params["access"]))
    form: dict[str, str] = {}
    error, status = "", 200
    with faults.reported():
        one = await accesses.one(house.database.reading, caller, number)
        if request.method == "POST":
            form = {name: str(value).strip() for name, value in (await request.form()).items()}
            try:
                await _say(request, number, form)
            except _ANSWERED as refusal:
                error, status = gettext(REFUSALS[refusal.status]), refusal.status
            else:
                return go(request, "/journal/urgences")
        one = await accesses.one(house.database.reading, caller, number)
    looked = entry(
        caller,
        Event.JOURNAL_READ,
        patient=one.patient,
        request=asked(request),
        detail={"act": Act.UNUSUAL, "access": number},
    )
    await note(request, looked)
    [line] = await _lines(request, record, [one], gettext, whole=True)
    return await show_line(request, record, line, str(one.version), form, error, status)


async def line_of(request: Request, record: Record, number: int, gettext: Gettext) -> Line:
    """One that the caller may read, with all that was found and said. Raises NotFound."""
    caller, _me = await signed_in(request)
    with faults.reported():
        one = await accesses.one(request.app.state.house.database.reading, caller, number)
    [line] = await _lines(request, record, [one], gettext, whole=True)
    return line


def number_of(text: str) -> int:
    """Raises NotFound for what is no number of an access or a case."""
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise NotFound
    return int(text)


async def _say(request: Request, number: int, form: dict[str, str]) -> None:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    version = form.get("version", "")
    async with house.database.writing.acquire() as connection, connection.transaction():
        after = await accesses.review(
            connection,
            house.vault,
            caller,
            number,
            form.get("outcome", ""),
            form.get("note", ""),
            int(version) if version.isascii() and version.isdigit() and len(version) < 10 else 0,
        )
        detail = {"act": Act.UNUSUAL_REVIEWED, "access": number, "outcome": after.outcome, "state": after.state}
        told = entry(caller, Event.OPERATION, patient=after.patient, request=asked(request), detail=detail)
        await house.journal.record_within(connection, (told,))


async def _lines(
    request: Request,
    record: Record,
    found: Sequence[Access],
    gettext: Gettext,
    *,
    whole: bool = False,
    bare: bool = False,
) -> list[Line]:
    house = request.app.state.house
    reading = house.database.reading
    roles = {one.role: reference(request, "PractitionerRole", one.role) for one in found if one.role}
    who = await people(record, roles.values(), gettext)
    with faults.reported():
        fired = {} if bare else await accesses.fired(reading, house.vault, found)
        patients = await records_of(request, [one.patient for one in found])
        said = {
            one.access: await accesses.words(reading, house.vault, one)
            for one in found
            if (whole or one.outcome) and not bare
        }
    return [
        Line(
            id=str(one.access),
            where=f"{PATH}/{one.access}",
            kind=gettext(KIND),
            at=one.at.astimezone(PARIS),
            until=None,
            due=due_by(accesses.KIND, one.found_at.astimezone(PARIS)),
            who=who.get(roles.get(one.role, ""), Person()),
            reason="",
            patient=patients.get(one.patient, ""),
            outcome=gettext(OUTCOMES[one.outcome]) if one.outcome else "",
            code=one.outcome,
            settled=one.state == "completed",
            second=one.state == "in-progress",
            notes=[
                Note(
                    word.text,
                    word.at.astimezone(PARIS),
                    not word.outcome,
                    reference(request, "Practitioner", word.by),
                    gettext(OUTCOMES[word.outcome]) if word.outcome else "",
                )
                for word in said.get(one.access, ())
            ],
            entries=sorted({identifier(each.worker, each.sequence) for each in fired.get(one.access, ())}),
            because=[_told(each, gettext, whole=whole) for each in fired.get(one.access, ())],
            settled_at=one.read_at.astimezone(PARIS) if one.state == "completed" and one.read_at else None,
        )
        for one in found
    ]


def _told(fired: Fired, gettext: Gettext, *, whole: bool) -> str:
    """The sentence of the rule, and on the access's own page what made it fire."""
    rule = rules().get(fired.rule)
    if rule is None:
        return fired.rule
    sentence = gettext(rule.sentence)
    return f"{sentence} {gettext(rule.told) % fired.facts}" if whole else sentence


async def records_of(request: Request, patients: Iterable[int]) -> dict[int, str]:
    """The id of each Patient, by number."""
    house, kind = request.app.state.house, kind_of("Patient")
    rows = await house.database.reading.fetch(
        "select patient, res from version where patient = any($1::bigint[]) and kind = $2 and superseded is null",
        sorted(set(patients)),
        kind,
    )
    return {row["patient"]: house.store.id(Key(row["patient"], kind, row["res"])) for row in rows}


def reference(request: Request, type_: str, res: int) -> str:
    """Of the directory; '' for nobody."""
    found: str = request.app.state.house.store.reference(Key(0, kind_of(type_), res)) if res else ""
    return found
