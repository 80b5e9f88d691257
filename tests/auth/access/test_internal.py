"""Internal principals: a closed table, bounded by types, in sessions that end."""

from datetime import timedelta
from typing import Any

import pytest

from liaison.auth.access import internal
from liaison.auth.access.filter import Filter
from liaison.auth.access.internal import INTERNALS


def test_the_identity_cell_reads_and_writes_only_what_the_way_in_needs() -> None:
    cell = INTERNALS["internal:identity"]
    assert cell.reads == {"Patient", "CareTeam", "Consent", "Task", "ServiceRequest", "RelatedPerson"}
    assert cell.writes == {*cell.reads, "Communication"}


@pytest.mark.parametrize("name", sorted(INTERNALS))
def test_each_has_a_reason_and_is_bounded(name: str) -> None:
    principal = INTERNALS[name]
    assert principal.role_code == name
    assert len(principal.why) > 20
    assert "AuditEvent" not in principal.reads or principal.name in ("import", "sandbox", "rebuild")


async def test_a_name_that_is_not_in_the_table_opens_nothing(territory: Any) -> None:
    with pytest.raises(KeyError):
        await internal.open_session(territory.database.writing, "root")


async def test_it_sees_its_types_of_everyone_and_nothing_else(territory: Any) -> None:
    patient = await territory.patient()
    weight = await territory.item(patient, **territory.vital())
    cell = await internal.open_session(territory.database.writing, "identity")

    assert await territory.sees(cell, patient.reference)
    assert (await territory.ask(cell, "GET", weight)).status in (403, 404)
    assert await territory.store.read(cell, territory.key(weight)) is None
    assert (await territory.ask(cell, "POST", "Observation", territory.item_of(patient))).status == 403


async def test_one_that_is_opened_for_a_record_reaches_that_one_alone(territory: Any) -> None:
    """Nor does a search of it look at anybody else's keys: hundreds of visits are filed in one evening."""
    patient, other = await territory.patient(), await territory.patient()
    of = territory.key(patient.reference).patient
    cell = await internal.open_session(territory.database.writing, "identity", of=of)

    assert await territory.sees(cell, patient.reference)
    assert not await territory.sees(cell, other.reference)
    looked_at = f"select p.patient from {Filter().patients('$1::bigint')} p"
    assert await territory.database.reading.fetch(looked_at, cell.session) == [(of,)]
    everyone = await internal.open_session(territory.database.writing, "identity")
    assert len(await territory.database.reading.fetch(looked_at, everyone.session)) > 1


async def test_it_ends_when_closed_and_after_its_time(territory: Any) -> None:
    patient = await territory.patient()
    pool = territory.database.writing
    closed = await internal.open_session(pool, "identity")
    await internal.close_session(pool, closed)
    short = await internal.open_session(pool, "identity", timedelta(seconds=0))

    for cell in (closed, short):
        assert await territory.status(cell, patient.reference) in (401, 404)


async def test_it_shows_for_whom_it_works(territory: Any) -> None:
    gp = await territory.person("gp")
    cell = await internal.open_session(territory.database.writing, "identity", caller=gp.caller)
    assert (cell.practitioner, cell.role, cell.role_code) == (
        gp.caller.practitioner,
        gp.caller.role,
        "internal:identity",
    )
