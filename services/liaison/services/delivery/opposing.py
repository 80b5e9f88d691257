"""« La personne s'oppose », recorded without a network: dated when it was said, in force when it is received, and provisional until it
is confirmed.

What the aide could do when she wrote it counts, as for a visit; to which person it is opposed is a name that she typed, which a
person of the service looks up.
"""

from datetime import datetime
from typing import Final

from liaison.auth.access import internal, oppositions
from liaison.auth.access.oppositions import Opposition
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people.permits import Permit
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request
from liaison.protocols.filing import SYSTEM
from liaison.services.delivery.filing import NotFiled, aide
from liaison.services.delivery.letter import Letter
from liaison.services.house import House
from liaison.services.pages.record import Record, Refused

ACTS: Final = frozenset({"all", "service", "emergency"})
"""What can be put in force by itself; « one » names somebody."""
MEANS: Final = frozenset({"oral", "paper"})
_REQUEST: Final = Request("POST", "telephone/visites")


async def oppose(house: House, letter: Letter, permit: Permit, written: datetime) -> None:
    """`written` is by our clock; before the permit began, it was not. Raises NotFiled for what a person has to look at, and Unavailable when it may be sent again."""
    if "unfinished" in letter.form:
        raise NotFiled("unfinished")
    act, means = ("".join(letter.form.get(name, ())) for name in ("act", "means"))
    if act not in ACTS or means not in MEANS:
        raise NotFiled("named" if act == "one" else "answers")
    key = house.store.key("Patient", letter.patient)
    if key is None:
        raise NotFiled("person")
    against = str(permit.service.get("reference", "")) if act == "service" else ""
    told = {"system": SYSTEM, "value": f"{letter.visit}#opposition"}
    author = aide(permit)
    with faults.reported():
        cell = await internal.open_session(house.database.writing, "identity", caller=author, of=key.patient)
        try:
            # A receipt that was lost on its way: the same number again.
            known = {"patient": f"Patient/{letter.patient}", "identifier": f"{told['system']}|{told['value']}"}
            if not await Record(house.engine, cell).search("Consent", known, most=1):
                stated = Opposition(against, act == "emergency", means)
                said = max(written, permit.began)
                await oppositions.oppose_as_told(
                    house.store, author, cell, key, stated, told, house.engine.base_url, said
                )
                done = entry(cell, Event.RIGHTS, patient=key.patient, request=_REQUEST, reason=Act.OPPOSITION)
                await house.journal.record((done,))
        except Refused:
            raise Unavailable("The opposition was not recorded: send it again.") from None
        finally:
            await internal.close_session(house.database.writing, cell)
