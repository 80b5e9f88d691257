"""« Médecin traitant » on the page of the team: the person declares one of its doctors; or another member records that they did."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from liaison.auth.access.declaring import DOCTORS
from liaison.fhir.store.contract import Tree
from liaison.fhir.store.database import Database
from liaison.services.pages.opposing.opposing import MEANS, PERSONS
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me

_OF: Final = (
    "select role from held_role where role = any($1::bigint[]) and role_code = any($2::text[]) and active"
    " and valid_from <= now() and valid_to > now()"
)


async def offered(
    database: Database,
    me: Me,
    present: Mapping[str, str],
    numbers: Mapping[str, int],
    attending: Collection[str],
    *,
    records: bool,
) -> dict[str, Any]:
    """What the form needs: whom the caller may name (reference and name), and by what means; {} for who names nobody.
    `present` has the names of the members by reference, `numbers` their roles; `records`: whether the caller writes the team."""
    rows = await database.reading.fetch(_OF, list(numbers.values()), sorted(DOCTORS))
    doctors = {row["role"] for row in rows}
    possible = {one: name for one, name in present.items() if numbers.get(one) in doctors and one not in attending}
    if me.role_code in PERSONS:
        return {"doctors": list(possible.items()), "means": [], "theirs": True} if possible else {}
    others = [(one, name) for one, name in possible.items() if one != me.role_reference]
    return {"doctors": others, "means": MEANS, "theirs": False} if others and records else {}


async def declare(record: Record, patient: str, form: Mapping[str, str], *, by_themselves: bool) -> None:
    """Raises Refused."""
    parts: list[Tree] = [
        {"name": "means", "valueCode": "digital" if by_themselves else form.get("means", "")},
        {"name": "doctor", "valueReference": {"reference": form.get("doctor", "")}},
    ]
    await record.operate(f"{patient}/$attending-doctor", {"resourceType": "Parameters", "parameter": parts})
