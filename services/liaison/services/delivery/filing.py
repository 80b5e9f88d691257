"""Files a delivered visit in the record, as its aide would have: in her name, within her permit, in one transaction."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from starlette.datastructures import FormData

from liaison.auth.access import internal, oppositions
from liaison.auth.caller import Caller
from liaison.auth.people.permits import Permit
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Bound
from liaison.protocols.answers import Answer
from liaison.protocols.forms import FORM, canonical
from liaison.protocols.visit import Invalid, Visit, transaction
from liaison.services import visit_forms
from liaison.services.alerting import reading_now
from liaison.services.delivery.letter import Letter
from liaison.services.house import House
from liaison.services.pages.clock import PARIS
from liaison.services.pages.home_care import again, answering, merging
from liaison.services.pages.record import Record, Refused

Tree = dict[str, Any]
_AGAIN: Final = frozenset({409, 429})
"""Answers to a transaction that met another one, or came too fast."""


class NotFiled(Exception):
    """It waits for a person. `why` as people.sent_visits names it."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@asynccontextmanager
async def recorder(house: House, letter: Letter, permit: Permit, written: datetime) -> AsyncIterator[Record]:
    """The record, for what this letter tells of somebody who had not opposed it when it was written, once it was finished.

    Raises NotFiled for what a person has to look at, and Unavailable when it may be sent again."""
    key = house.store.key("Patient", letter.patient)
    if key is None:
        raise NotFiled("person")
    author = aide(permit)
    with faults.reported():
        if await oppositions.opposed_to(house.store, author, key.patient, at=written):
            raise NotFiled("opposed")
        if "unfinished" in letter.form:
            raise NotFiled("unfinished")
        cell = await internal.open_session(house.database.writing, "visits", caller=author, of=key.patient)
    try:
        yield Record(house.engine, cell)
    except (Invalid, KeyError):
        raise NotFiled("answers") from None
    except Refused as refused:
        if refused.answered >= 500 or refused.answered in _AGAIN:
            raise Unavailable("The visit was not filed: send it again.") from None
        raise NotFiled("refused") from None
    finally:
        with faults.reported():
            await internal.close_session(house.database.writing, cell)


async def file(house: House, letter: Letter, permit: Permit, written: datetime, received: datetime) -> None:
    """Raises as `recorder`."""
    async with recorder(house, letter, permit, written) as record:
        teams = await reading_now(house, record, permit.organization, f"Patient/{letter.patient}", received)
        form = await form_of(house, letter, permit)
        made = visit_of(letter, permit, form, answers_of(letter, form, written), received, teams)
        if answering.out_of_time(made.answers, written, None):
            raise NotFiled("answers")
        if await _told_otherwise(record, made):
            raise NotFiled("another")
        bundle = transaction(await visit_forms.known(house.database, [made.asked]), made)
        await record.transact(bundle)
        if not await again.is_held(record, made):
            raise NotFiled("another")
        if merging.raises(bundle):
            await merging.merged(house, aide(permit), made.patient)


async def form_of(house: House, letter: Letter, permit: Permit) -> Tree:
    """The version that was filled in: one of the library's, or of the service whose tour it was. Raises NotFiled for any other."""
    form = await visit_forms.asked(house.database, letter.asked or FORM, permit.organization)
    if form is None:
        raise NotFiled("answers")
    return form


def answers_of(letter: Letter, form: Tree, written: datetime) -> dict[str, Answer]:
    """What was filled in, as the form reads it. `written` is by our clock. Hours are those of Paris, on the day on which they
    were written; one that the telephone had put in by itself is put right with its clock."""
    answers = read(letter, form, written)
    if not letter.start_typed:
        told = read(letter, form, letter.written)
        if (start := answering.moment(str(told.get("start", "")))) is not None:
            answers["start"] = (start + (written - letter.written)).replace(microsecond=0).isoformat()
    return answers


def read(letter: Letter, form: Tree, when: datetime) -> dict[str, Answer]:
    """The answers, with their hours as they were meant at that moment."""
    filled = FormData([(name, value) for name, values in letter.form.items() for value in values])
    return answering.answered(filled, form, when.astimezone(PARIS))


def visit_of(
    letter: Letter, permit: Permit, form: Tree, answers: dict[str, Answer], received: datetime, teams: list[Tree]
) -> Visit:
    return Visit(
        id=letter.corrects or letter.visit,
        patient=f"Patient/{letter.patient}",
        aide=permit.aide,
        service=permit.service,
        answers=answers,
        recorded=received,
        appointment=f"Appointment/{letter.appointment}" if letter.appointment else "",
        device_time=letter.written,
        teams=teams,
        asked=canonical(form),
    )


async def _told_otherwise(record: Record, made: Visit) -> bool:
    """Whether another visit is recorded for the same appointment: two telephones, or a form that was typed in since."""
    if not made.appointment:
        return False
    query = {"patient": made.patient, "appointment": made.appointment, "status": "finished,cancelled"}
    return any(again.number_of(one) != made.id for one in await record.search("Encounter", query, most=5))


def aide(permit: Permit) -> Caller:
    """The author of the permit, for the journal and for who signs; no right comes of it."""
    bound: Bound = _Nothing()
    return Caller(
        0,
        bound,
        0,
        "home-aide",
        practitioner=permit.practitioner,
        role=permit.role,
        organization=permit.organization,
        account=permit.account,
    )


class _Nothing:
    """The bound of somebody who asks nothing by themselves."""

    def allows(self, interaction: str, type_: str) -> bool:
        return False

    def criteria(self, interaction: str, type_: str) -> tuple[str, ...]:
        return ()
