"""What is decided about a visit that waits, and the entry that says so, are one."""

from uuid import uuid4

from liaison.auth.journal.entry import Event
from liaison.auth.people import sent_visits
from liaison.auth.people.sent_visits import CHECKING, Sent

from ...oauth.conftest import Place, field

STATE = "select state from sent_visit"


async def test_nothing_is_decided_that_the_journal_does_not_say(managed: Place) -> None:
    database = managed.house.database
    async with database.writing.acquire() as connection:
        service = await connection.fetchval(
            "select organization from held_role where role_code = 'home-service-manager' and organization <> 0"
        )
        await sent_visits.keep(
            connection,
            Sent(uuid4(), b"\x01" * 32, service, 0, 0, 0, 0, CHECKING, "unreadable", None, database.clock.now()),
        )
    async with managed.signed_in("nurse") as manager:
        card = (await manager.get("/a-verifier")).text
        form = {"csrf": field(card, "csrf"), "one": field(card, "one"), "decision": "leave", "why": "Illisible"}
        await database.writing.execute(
            f"alter table journal_entry add constraint away check (event <> {int(Event.OPERATION)}) not valid"
        )

        assert (await manager.post("/a-verifier", data=form)).status_code >= 500

        assert await database.reading.fetchval(STATE) == CHECKING
        await database.writing.execute("alter table journal_entry drop constraint away")
        assert (await manager.post("/a-verifier", data=form)).status_code == 303
        assert await database.reading.fetchval(STATE) == sent_visits.SETTLED
