"""Tables of rules that differ from the packaged one, and how a test adopts them."""

from typing import Any

from liaison.auth.access import adopted, adopting, regranting
from liaison.auth.access.adopting import Act, Decision
from liaison.auth.access.table import packaged_text

DECIDED = Decision("Dr Essai, DPO", "décision 12 du comité")

WITHOUT_CLIN = packaged_text().replace(
    "read: [ADM, COORD, VITAL, CLIN, ETP, CONSENT, NOTE3P, HELD]",
    "read: [ADM, COORD, VITAL, ETP, CONSENT, NOTE3P, HELD]",
    1,
)
"""Row 2 without what a health professional reads of CLIN."""
PHARMACIST_READS_CLIN = packaged_text().replace(
    "read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS, ALLERGY, LAB, ETP, CLIN_ONLY]", 1
)
BOTH = WITHOUT_CLIN.replace("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS, ALLERGY, LAB, ETP, CLIN_ONLY]", 1)
NO_COMMUNICATION = packaged_text().replace("      - Observation\n      - Communication\n", "      - Observation\n", 1)
"""Row 15 without the messages of an aide."""
assert len({packaged_text(), BOTH, WITHOUT_CLIN, PHARMACIST_READS_CLIN, NO_COMMUNICATION}) == 5


async def adopt(territory: Any, text: str) -> Act:
    """In force; the grants are still those of the table before."""
    async with territory.database.writing.acquire() as connection, connection.transaction():
        seen = (await adopted.current(connection)).number
        return await adopting.adopt(connection, territory.store.vault, text, DECIDED, seen)


async def withdraw(territory: Any) -> Act:
    async with territory.database.writing.acquire() as connection, connection.transaction():
        seen = (await adopted.current(connection)).number
        return await adopting.withdraw(connection, territory.store.vault, DECIDED, seen)


async def regrant(territory: Any) -> int:
    async with territory.database.writing.acquire() as connection:
        return await regranting.carry(connection, territory.store.vault)
