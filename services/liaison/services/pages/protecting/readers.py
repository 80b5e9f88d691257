"""Who can read a report of suspected abuse: those of the directory to whom the page is open."""

from typing import Final

from liaison.auth.access.roles import ROLES
from liaison.services.pages.reception.welcome import directory
from liaison.services.pages.record import Record

ROLES_THAT_READ: Final = frozenset(
    code
    for code, role in ROLES.items()
    if role.category in ("health", "psychologist", "social", "coordination") and code != "home-aide"
)


async def eligible(record: Record) -> list[tuple[str, str]]:
    """(PractitionerRole/…, name and role), by name."""
    found = await directory(record, mine="", among=ROLES_THAT_READ)
    return [(reference, f"{name}, {role}" if role else name) for reference, name, role in found]
