"""An officer at the desk of the journal, after a nurse has opened a record; and what is planted in the journal."""

from collections.abc import AsyncIterator

import httpx
import pytest

from liaison.auth.access.purposes import Purpose
from liaison.auth.journal.entry import Entry
from liaison.fhir.store.contract import Key

from ...oauth.conftest import Place, place, settings

__all__ = ["place", "settings"]


@pytest.fixture
async def officer(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """The data protection officer of the nurse's structure."""
    async with place.signed_in("nurse") as nurse:
        await nurse.get(f"/dossiers/{place.patient}")
    async with place.signed_in("dpo") as browser:
        yield browser


def patient_key(place: Place) -> Key:
    key = place.house.store.key("Patient", place.patient)
    assert key is not None
    return key


async def by_nurse(place: Place, event: int, **more: object) -> Entry:
    """An entry as the nurse's act on the record."""
    row = await place.house.database.reading.fetchrow(
        "select practitioner, organization from held_role where role_code = 'nurse' limit 1"
    )
    made = Entry(
        event,
        patient=patient_key(place).patient,
        person=row["practitioner"],
        organization=row["organization"],
        role_code="nurse",
        purpose=Purpose.TREAT,
    )
    return made._replace(**more)  # type: ignore[arg-type]  # fields of Entry
