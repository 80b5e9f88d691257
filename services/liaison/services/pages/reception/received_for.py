"""For whom a secretary or a substitute receives people: the professional acted for, whom the desk names before anything is
written (liaison.auth.access.acting_for)."""

from typing import Any, Final, NamedTuple

from liaison.auth.access import team_writing
from liaison.auth.access.acting_for import member_of
from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import human_name

NOBODY: Final = _(
    "Le professionnel pour qui vous travaillez n'a plus de fonction en cours : personne n'est accueilli en son nom. Voyez"
    " le responsable de la structure."
)


class ReceivedFor(NamedTuple):
    """`reference` is that of their role; `role` is '' where the directory does not say it."""

    reference: str
    name: str
    role: str


async def received_for(record: Record) -> ReceivedFor | None:
    """None for who receives in their own name. Raises Forbidden where nobody is there to be received for."""
    member = await member_of(record.engine.store, record.caller)
    if member is record.caller:
        return None
    reference = team_writing.staff_reference(record.engine.store, member)
    tree: dict[str, Any] = await record.read(reference) or {}
    person = tree.get("practitioner") or {}
    name = str(person.get("display") or human_name(await record.read(str(person.get("reference", ""))) or {}))
    return ReceivedFor(reference, name, next((words for code in tree.get("code", []) if (words := label(code))), ""))
