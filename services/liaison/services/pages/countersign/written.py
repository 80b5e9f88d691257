"""What trainees wrote, by the owner columns: whoever the entry names as its author, or nobody (row 9; auth.access.labels)."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request

from liaison.auth.access.owners import AUTHORED_TYPES
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of, type_of
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.rows import owner_token

ENTRIES: Final = AUTHORED_TYPES - {"Consent", "Provenance"}
"""A Consent that a trainee records is confirmed for itself (« À confirmer »)."""
_KINDS: Final = [kind_of(type_) for type_ in sorted(ENTRIES | {"Provenance"})]
_MOST: Final = 500


async def trainees(request: Request, caller: Caller, back: timedelta) -> list[int]:
    """Those who act, or acted these last months, as trainees of the caller: the res of their Practitioner."""
    house = request.app.state.house
    with faults.reported():
        rows = await house.database.reading.fetch(
            "select distinct practitioner from held_role where role_code = 'trainee' and acts_for = any($1::bigint[])"
            " and valid_to > now() - $2::interval",
            sorted({caller.role, caller.practitioner} - {0}),
            back,
        )
    return [row["practitioner"] for row in rows]


async def written_by(request: Request, caller: Caller, people: Collection[int], back: timedelta) -> list[str]:
    """References of what these people wrote in that time, newest first, Provenances among them; of patients on whom the
    caller has some right. What the caller may read of it is asked of the record."""
    house: Any = request.app.state.house
    store, database = house.engine.store, house.database.reading
    names = [f"Practitioner/{store.id(Key(0, kind_of('Practitioner'), res))}" for res in people]
    with faults.reported():
        known = await database.fetch(f"select patient from {store.filter.patients('$1::bigint')} p", caller.session)
        keys = await house.vault.patient_keys(database, {row["patient"] for row in known})
        pairs = [(patient, owner_token(key, name)) for patient, key in keys.items() for name in names]
        rows = await database.fetch(
            "select v.patient, v.kind, v.res from unnest($1::bigint[], $2::bigint[]) as k(patient, author)"
            " join version v on v.patient = k.patient and v.kind = any($3::smallint[]) and v.author = k.author"
            " where v.superseded is null and not v.deleted and v.at > now() - $4::interval order by v.at desc limit $5",
            [patient for patient, _ in pairs],
            [author for _, author in pairs],
            _KINDS,
            back,
            _MOST,
        )
    return [f"{type_of(row['kind'])}/{store.id(Key(*row))}" for row in rows]
