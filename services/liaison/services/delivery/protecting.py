"""Suspected abuse, told on a channel of its own (class PROT): to the person whom the aide has chosen among those designated, and to
those to whom that person gives it to read; not in the tray, nor in any list of visits.

It is filed whatever the hour, and although the person opposes sharing or the aide has left since: somebody must read it.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Final

from liaison.auth.access import internal, vocabulary
from liaison.auth.caller import Caller
from liaison.auth.people import designated
from liaison.auth.people.permits import Permit
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.protocols import codes
from liaison.protocols.filing import SYSTEM
from liaison.services.delivery.filing import NotFiled, aide
from liaison.services.delivery.letter import Letter
from liaison.services.house import House
from liaison.services.pages.record import Record, Refused

Tree = dict[str, Any]
CATEGORY: Final = "protected-report"
LONGEST: Final = 4000


async def report(house: House, letter: Letter, permit: Permit, written: datetime, received: datetime) -> None:
    """Raises NotFiled for what cannot be filed as it is, and Unavailable when it may be sent again."""
    words, to = ("".join(letter.form.get(name, ())).strip() for name in ("words", "to"))
    with faults.reported():
        reader = await designated.ever(house.database.reading, permit.organization, to)
    if reader is None or not 0 < len(words) <= LONGEST:
        raise NotFiled("answers")
    key = house.store.key("Patient", letter.patient)
    if key is None:
        raise NotFiled("person")
    recipient = {"reference": reader.reference, "display": reader.name}
    bundle = _once(f"{letter.visit}#report", _communication(letter, permit, recipient, words, written, received))
    async with opened(house, aide(permit), key.patient) as cell:
        try:
            await Record(house.engine, cell).transact(bundle)
        except Refused as refused:
            if refused.answered >= 500 or refused.answered in (409, 429):
                raise Unavailable("The report was not filed: send it again.") from None
            raise NotFiled("refused") from None


async def give_to_read(record: Record, told: Tree, sender: Tree, recipient: Tree) -> None:
    """The report again, from its reader to whom they name (row 26b): a Communication of its own, since each has one addressee. `record`
    is of `opened`. Done twice, it is there once."""
    number = f"{told['id']}#{recipient['reference'].partition('/')[2]}"
    kept = {name: told[name] for name in ("resourceType", "status", "category", "subject", "payload")}
    given = {
        **kept,
        "meta": {"security": told["meta"]["security"]},
        "inResponseTo": [{"reference": f"Communication/{told['id']}"}],
        "sent": record.now().isoformat(timespec="seconds"),
        "sender": sender,
        "recipient": [recipient],
    }
    await record.transact(_once(number, given))


def _once(value: str, tree: Tree) -> Tree:
    """Made on condition that nothing of this number is there: a receipt may have been lost on its way."""
    request = {
        "method": "POST",
        "url": tree["resourceType"],
        "ifNoneExist": f"identifier={SYSTEM}|{value.replace('#', '%23')}",
    }
    resource = {**tree, "identifier": [{"system": SYSTEM, "value": value}]}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": resource, "request": request}]}


@asynccontextmanager
async def opened(house: House, behind: Caller, of: int = 0) -> AsyncIterator[Caller]:
    """The principal that files and hands over reports; the journal shows who is behind it. `of`: as in `internal.open_session`."""
    with faults.reported():
        cell = await internal.open_session(house.database.writing, "protection", caller=behind, of=of)
    try:
        yield cell
    finally:
        with faults.reported():
            await internal.close_session(house.database.writing, cell)


def _communication(
    letter: Letter, permit: Permit, recipient: Tree, words: str, written: datetime, received: datetime
) -> Tree:
    coding = {"system": codes.HOME_CARE, "code": CATEGORY, "display": "Signalement protégé"}
    return {
        "resourceType": "Communication",
        "meta": {"security": [{"system": vocabulary.DATA_CLASS, "code": "PROT"}]},
        "status": "completed",
        "category": [{"coding": [coding], "text": "Signalement protégé"}],
        "subject": {"reference": f"Patient/{letter.patient}"},
        "sent": written.isoformat(timespec="seconds"),
        "received": received.isoformat(timespec="seconds"),
        "sender": permit.aide,
        "recipient": [recipient],
        "payload": [{"contentString": words}],
    }
