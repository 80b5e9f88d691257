"""A look kept under a name: its owner's alone, and unreadable in the base."""

from pathlib import Path

from liaison.auth.people import saved_views
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault


async def test_a_view_is_its_owner_s_sealed_and_kept_once_a_name(database: Database, tmp_path: Path) -> None:
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))
        key = vault.territory
        assert await saved_views.keep(connection, key, 1, "Mes retards", "retard=1&nom=Lorho")
        assert await saved_views.keep(connection, key, 1, "Mes retards", "retard=1&nom=Cadic")
        [mine] = await saved_views.of(connection, key, 1)
        assert (mine.name, mine.query) == ("Mes retards", "retard=1&nom=Cadic")
        assert await saved_views.of(connection, key, 2) == []
        stored = await connection.fetchval("select sealed from saved_view")
        assert b"Cadic" not in stored and b"retards" not in stored

        await saved_views.forget(connection, 2, mine.number)
        assert len(await saved_views.of(connection, key, 1)) == 1
        for number in range(saved_views.MOST - 1):
            assert await saved_views.keep(connection, key, 1, f"Vue {number}", "")
        assert not await saved_views.keep(connection, key, 1, "Une de trop", "")
        await saved_views.forget(connection, 1, mine.number)
        assert await saved_views.keep(connection, key, 1, "Une de trop", "")
