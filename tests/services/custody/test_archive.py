"""What is in a backup, and what is refused as one."""

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from liaison.fhir.store.database import SCHEMA, UnknownSchema, check_schema
from liaison.fhir.store.schema import metadata
from liaison.fhir.vault import FileKeyProvider, ProviderError
from liaison.services import migrations
from liaison.services.custody import archive, outside
from liaison.services.custody.archive import BadBackup
from liaison.services.custody.drill import drill
from liaison.services.custody.restore import NotEmpty, restore

from .place import BODIES, Place, place, rows

__all__ = ["place"]

pytestmark = pytest.mark.http  # a whole house each: counted with the tests of the whole service


# ---- refused ------------------------------------------------------------------------------------------------------


async def test_a_base_that_holds_something_is_never_written_over(place: Place) -> None:
    await place.patient("gp")
    where = await place.backup()
    before = await rows(place.house.database.url, BODIES)
    with pytest.raises(NotEmpty):
        await restore(place.house.database.url, place.provider, where, place.kept)
    assert await rows(place.house.database.url, BODIES) == before


async def test_with_another_key_nothing_is_restored_and_the_base_does_not_serve(place: Place, tmp_path: Path) -> None:
    await place.patient("gp")
    where = await place.backup()
    url = await place.empty()
    with pytest.raises(ProviderError):
        await restore(url, FileKeyProvider.create(tmp_path / "other"), where, place.kept)
    assert await rows(url, "select 1 from patient") == []
    await restore(url, place.provider, where, None)  # the same base can be used once the key is there
    assert await rows(url, "select count(*) from patient") == [(1,)]


async def test_a_restore_that_was_interrupted_does_not_serve(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await place.patient("gp")
    where = await place.backup()
    url = await place.empty()

    async def broken(*_: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr("liaison.services.custody.restore._declare", broken)
    with pytest.raises(OSError, match="power cut"):
        await restore(url, place.provider, where, None)
    with pytest.raises(UnknownSchema):
        await check_schema(url)


def _cut(where: Path) -> None:
    path = where / "tables" / "version.zst"
    path.write_bytes(path.read_bytes()[:-1])


def _altered(where: Path) -> None:
    path = where / "tables" / "version.zst"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _missing(where: Path) -> None:
    (where / "tables" / "relation.zst").unlink()


def _other_manifest(where: Path) -> None:
    path = where / "manifest.note"
    path.write_text(path.read_text().replace('"liaison-backup-1"', '"liaison-backup-2"'))


def _emptied(where: Path) -> None:
    """Leaves the oppositions out, and makes the manifest fit: only the signature tells."""
    path = where / "manifest.note"
    body, _, signature = path.read_text().partition("\n\n")
    data = json.loads(body)
    data["parts"] = [part for part in data["parts"] if part["table"] != "relation"]
    path.write_text(json.dumps(data, sort_keys=True) + "\n\n" + signature)


async def test_a_backup_that_was_tampered_with_is_refused(place: Place) -> None:
    await place.patient("gp")
    where = await place.backup()
    url = await place.empty()
    for fault in (_cut, _altered, _missing, _other_manifest, _emptied):
        copy = where.with_name(fault.__name__)
        shutil.copytree(where, copy)
        fault(copy)
        with pytest.raises(BadBackup):
            await restore(url, place.provider, copy, None)
        with pytest.raises(UnknownSchema):
            await check_schema(url)


# ---- what is in a backup ------------------------------------------------------------------------------------------


async def test_no_key_and_no_name_is_in_a_backup_or_outside(place: Place) -> None:
    import zstandard

    await place.patient("gp")
    await place.settle_journal()
    where = await place.backup()
    assert place.settings.key_file is not None
    secret = bytes.fromhex(place.settings.key_file.read_text().split()[1])
    content = b"".join(
        zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes())
        for path in (where / "tables").iterdir()
    )
    content += b"".join(path.read_bytes() for path in place.kept.iterdir())
    wanted = [place.house.vault.id_key, *place.house.vault._secrets.values(), secret]
    for one in wanted:
        assert one not in content
        assert one.hex().encode() not in content
    assert b"ESSAI" not in content
    assert b"liaison-journal-" in content  # the control: what is in clear is found


async def test_a_drill_restores_apart_and_opens_what_it_finds(place: Place) -> None:
    for _ in range(3):
        await place.patient("gp")
    await place.settle_journal()
    where = await place.backup()
    found = await drill(where, place.provider, await place.empty())
    assert (found.patients, found.bodies) == (3, 6 + 1 + 2 * len(place.people))
    assert found.opened == found.bodies


async def test_what_is_older_than_every_backup_is_forgotten_but_never_an_erasure(place: Place) -> None:
    await place.patient("gp")
    await place.settle_journal()
    assert list(outside.read_rights(place.kept))
    outside.prune(place.kept, timedelta(days=35))
    assert list(outside.read_rights(place.kept))
    outside.prune(place.kept, timedelta(days=-1))
    assert list(outside.read_rights(place.kept)) == []
    assert outside.read_state(place.kept) is not None


async def test_a_line_cut_by_a_power_cut_is_left_out(place: Place) -> None:
    await place.patient("gp")
    await place.settle_journal()
    path = place.kept / "rights.jsonl"
    lines = len(list(outside.read_rights(place.kept)))
    path.write_bytes(path.read_bytes()[:-5])
    assert len(list(outside.read_rights(place.kept))) == lines - 1
    state = outside.read_state(place.kept)
    assert state is not None
    state.position = 0
    outside.save_state(place.kept, state)
    await place.settle_journal()
    assert len(list(outside.read_rights(place.kept))) >= lines


async def test_every_table_is_in_a_backup_or_left_out_on_purpose() -> None:
    assert {table.name for table in archive.tables()} | archive.LEFT_OUT == set(metadata.tables)
    assert await _head() == SCHEMA


async def _head() -> str:
    return migrations.head()


async def test_a_backup_of_a_schema_that_is_not_known_changes_nothing(place: Place) -> None:
    where = await place.backup()
    manifest = where / archive.MANIFEST
    manifest.write_text(manifest.read_text().replace(f'"revision": "{SCHEMA}"', '"revision": "9999"'))
    url = await place.empty()
    with pytest.raises(BadBackup, match="schema 9999"):
        await restore(url, place.provider, where, place.kept)
    assert await rows(url, "select to_regclass('patient') is null") == [(True,)]
    manifest.write_bytes(b"\xff\xfe")
    with pytest.raises(BadBackup, match="cannot be read"):
        archive.read(where)


async def test_a_backup_that_found_no_room_leaves_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(archive, "_copy_out", full)
    with pytest.raises(OSError, match="No space"):
        await place.backup()
    assert [path for path in place.folder.rglob("*") if path.name.endswith(".part")] == []


async def test_what_a_migration_seeds_is_named(database_url: str) -> None:
    """A base that was only migrated is an empty one: a restore goes into it."""
    holding = {name for table in archive.tables() if await rows(database_url, f"select 1 from {(name := table.name)}")}
    assert holding == archive.SEEDED
