"""« Corriger » without a network: a visit that was filed is told anew by its author, as a new version; nothing is erased.

Who wrote a visit corrects it for 24 hours (row 15 of the table of decisions), counted to when she wrote the correction, not to
when there was a network again. What cannot be corrected by itself waits for a person, as a visit does.
"""

from datetime import datetime
from typing import Any

from liaison.auth.people.permits import Permit
from liaison.protocols.amending import Recorded
from liaison.protocols.answers import Answer
from liaison.protocols.forms import form_of
from liaison.services.alerting import reading_now
from liaison.services.delivery.filing import NotFiled, read, recorder, visit_of
from liaison.services.delivery.letter import Letter
from liaison.services.house import House
from liaison.services.pages.home_care import again, answering

Tree = dict[str, Any]


async def correct(house: House, letter: Letter, permit: Permit, written: datetime, received: datetime) -> None:
    """Raises NotFiled for what a person has to look at, and Unavailable when it may be sent again."""
    assert letter.corrects is not None
    patient = f"Patient/{letter.patient}"
    async with recorder(house, letter, permit, written) as record:
        kept = await again.recorded(record, letter.corrects)
        if kept is None or kept.encounter.get("subject", {}).get("reference") != patient:
            raise NotFiled("correction")
        teams = await reading_now(house, record, permit.organization, patient, received)
        form = form_of(kept.library, (kept.response or {}).get("questionnaire", ""))
        made = visit_of(letter, permit, form, _answers(letter, form, kept), received, teams)
        if answering.out_of_time(made.answers, written, kept.encounter):
            raise NotFiled("answers")
        if await again.amend(record, made, kept, at=written) is not None:
            raise NotFiled("correction")
        if not again.holds(await again.recorded(record, made.id), made):
            raise NotFiled("correction")


def _answers(letter: Letter, form: Tree, kept: Recorded) -> dict[str, Answer]:
    """An hour that she did not touch is that of the recorded visit; one that she typed is of that visit's day, whatever the day of
    the correction."""
    known = str(kept.encounter.get("period", {}).get("start", ""))
    start = answering.moment(known)
    if start is None:
        raise NotFiled("correction")
    answers = read(letter, form, start.replace(hour=23, minute=59))
    return answers if letter.start_typed else {**answers, "start": known}
