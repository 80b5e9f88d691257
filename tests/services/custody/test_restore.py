"""Backups and restores of a real base: what comes back, what must not come back, and what is refused."""

import json
import secrets
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.auth.access import internal
from liaison.auth.access.relations import Relation
from liaison.auth.journal.integrator import Integrator
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import verify
from liaison.auth.people import accounts
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.store.database import SCHEMA, UnknownSchema, check_schema, connection
from liaison.fhir.store.erasure import erase
from liaison.fhir.store.schema import metadata
from liaison.fhir.vault import FileKeyProvider, ProviderError
from liaison.services import migrations
from liaison.services.custody import archive, outside
from liaison.services.custody.archive import BadBackup
from liaison.services.custody.drill import drill
from liaison.services.custody.restore import NotEmpty, restore
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person, settle, write

pytestmark = pytest.mark.http  # a whole house each: counted with the tests of the whole service


@dataclass
class Place:
    """A town's base, its folder outside, and empty bases to restore into."""

    settings: Settings
    house: House
    people: dict[str, Person]
    empty: Callable[[], Awaitable[str]]
    folder: Path

    @property
    def kept(self) -> Path:
        return self.settings.outside_folder

    @property
    def provider(self) -> FileKeyProvider:
        assert self.settings.key_file is not None
        return FileKeyProvider(self.settings.key_file)

    async def patient(self, *team: str) -> int:
        """The number of a new patient with a care team of these people."""
        entries: list[dict[str, Any]] = [
            {
                "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
                "resource": {"resourceType": "Patient", "name": [{"family": "ESSAI"}]},
                "request": {"method": "POST", "url": "Patient"},
            },
            {
                "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000002",
                "resource": {
                    "resourceType": "CareTeam",
                    "status": "active",
                    "subject": {"reference": "urn:uuid:00000000-0000-4000-8000-000000000001"},
                    "participant": [
                        {"member": {"reference": self.people[who].practitioner}, "period": {"start": "2020-01-01"}}
                        for who in team
                    ],
                },
                "request": {"method": "POST", "url": "CareTeam"},
            },
        ]
        reference = (await write(self.house, entries))[0]
        key = self.house.store.key(*reference.split("/"))
        assert isinstance(key, Key)
        return key.patient

    async def change(self, method: str, path: str, resource: dict[str, Any]) -> dict[str, Any]:
        maker = await internal.open_session(self.house.database.writing, "sandbox")
        answer = await self.house.engine.handle(maker, Request(method, path, "", json.dumps(resource).encode()))
        assert answer.status in (200, 201), answer.body
        found: dict[str, Any] = json.loads(answer.body)
        return found

    async def backup(self) -> Path:
        where = self.folder / archive.name_now() / secrets.token_hex(4)
        where.parent.mkdir(parents=True, exist_ok=True)
        one = await connection(self.house.database.url)
        try:
            async with one.transaction(isolation="repeatable_read", readonly=True):
                await archive.write(one, where, SCHEMA, self.house.journal_keys.signer)
        finally:
            await one.close()
        return where

    async def settle_journal(self) -> None:
        """What the jobs of a worker do within two seconds: positions, checkpoint, the files outside."""
        one = await connection(self.house.database.url)

        async def connect() -> asyncpg.Connection:
            return await connection(self.house.database.url)

        try:
            integrator = Integrator(connect, self.house.journal_keys.signer, self.kept / outside.CHECKPOINT)
            await integrator.take(one)
            await integrator.integrate(one)
            while await outside.follow(one, self.house.journal_keys, self.kept):
                pass
        finally:
            await one.close()


@pytest.fixture
async def place(database_url: str, postgres: Any, tmp_path: Path) -> AsyncIterator[Place]:
    FileKeyProvider.create(tmp_path / "key")
    settings = Settings(data=tmp_path / "data", key_file=tmp_path / "key", database_url=database_url)
    people, _ = await settle(settings)
    names: list[str] = []

    async def empty() -> str:
        names.append(f"restored_{secrets.token_hex(4)}")
        await postgres._as_administrator(f"create database {names[-1]} owner liaison")
        url: str = postgres.url(names[-1])
        return url

    async with House.opened(settings) as house:
        yield Place(settings, house, people, empty, tmp_path / "backups")
    for name in names:
        await postgres.drop(name)


async def rows(url: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    one = await connection(url)
    try:
        return [tuple(row) for row in await one.fetch(query, *values)]
    finally:
        await one.close()


async def restored_house(place: Place, url: str) -> Settings:
    return place.settings.model_copy(update={"database_url": url})


GRANTS = "select patient, principal, purpose, mask, rule, relation from access_grant order by 1, 2, 3, 4, 5, 6"
BODIES = "select patient, kind, res, version, at, clinical, deleted, classes, superseded is null, sealed from version order by 1, 2, 3, 4"


async def test_a_restored_base_holds_the_same_records_rights_and_journal(place: Place) -> None:
    for team in (("gp",), ("gp", "nurse")):
        await place.patient(*team)
    await place.settle_journal()
    where = await place.backup()
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    for query in (
        GRANTS,
        BODIES,
        "select * from index_token order by 1, 2, 3, 4, 5, 6",
        "select * from relation order by 1, 2, 3, 4, 5",
    ):
        assert await rows(url, query) == await rows(place.house.database.url, query)
    assert done.verdict.entries > 0
    await check_schema(url)
    settings = await restored_house(place, url)
    async with House.opened(settings) as house:
        maker = await internal.open_session(house.database.writing, "sandbox")
        answer = await house.engine.handle(maker, Request("GET", "Patient"))
        assert (answer.status, len(json.loads(answer.body)["entry"])) == (200, 2)
        written = await write(house, [_patient_entry()])
        assert written


def _patient_entry() -> dict[str, Any]:
    return {
        "fullUrl": "urn:uuid:00000000-0000-4000-8000-000000000001",
        "resource": {"resourceType": "Patient", "name": [{"family": "SUITE"}]},
        "request": {"method": "POST", "url": "Patient"},
    }


async def test_the_journal_goes_on_and_declares_the_break(place: Place) -> None:
    await place.patient("gp")
    await place.settle_journal()
    where = await place.backup()
    await place.patient("nurse")
    await place.settle_journal()
    lost = (place.kept / outside.CHECKPOINT).read_text()
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    assert done.lost_since == lost
    assert not (place.kept / outside.CHECKPOINT).exists()
    assert list(place.kept.glob("journal.checkpoint.before-*"))
    async with House.opened(await restored_house(place, url)) as house:
        moved = replace(place, house=house)
        await moved.patient("gp")
        await moved.settle_journal()
        one = await connection(url)
        async with one.transaction(isolation="repeatable_read", readonly=True):
            verdict = await verify(
                Live(one),
                house.journal_keys.signer.verifier,
                house.journal_keys,
                [(place.kept / outside.CHECKPOINT).read_text()],
            )
        await one.close()
    assert (verdict.breaks, verdict.waiting) == (1, 0)


async def test_an_erased_person_stays_gone(place: Place) -> None:
    gone, stays = await place.patient("gp"), await place.patient("gp")
    await place.settle_journal()
    where = await place.backup()
    async with place.house.database.writing.acquire() as one, one.transaction():
        assert await erase(one, place.house.vault, gone)
    await place.settle_journal()
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    assert done.replayed.erased == 1
    assert await rows(url, "select wrapped, state from patient where patient = $1", gone) == [(None, 1)]
    for table in ("version", "index_token", "relation", "access_grant", "identity_token"):
        assert await rows(url, f"select 1 from {table} where patient = $1 limit 1", gone) == []
    assert await rows(url, "select 1 from version where patient = $1 limit 1", stays)


async def test_without_what_was_kept_outside_the_erased_person_would_be_back(place: Place) -> None:
    """The fault that the files outside are there to prevent."""
    gone = await place.patient("gp")
    await place.settle_journal()
    where = await place.backup()
    async with place.house.database.writing.acquire() as one, one.transaction():
        await erase(one, place.house.vault, gone)
    url = await place.empty()
    await restore(url, place.provider, where, None)
    assert await rows(url, "select 1 from version where patient = $1 limit 1", gone)


async def test_an_opposition_made_after_the_backup_still_holds(place: Place) -> None:
    patient = await place.patient("gp", "nurse")
    await place.settle_journal()
    where = await place.backup()
    principals = set(place.people["nurse"].act.principals)

    async def nurse_has_rights(url: str) -> bool:
        found = await rows(url, "select principal from access_grant where patient = $1 and mask <> 0", patient)
        return bool(principals & {row[0] for row in found})

    assert await nurse_has_rights(place.house.database.url)
    id_ = await _patient_id(place, patient)
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{id_}"},
        "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]},
        "provision": {
            "type": "deny",
            "actor": [
                {
                    "role": {
                        "coding": [
                            {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}
                        ]
                    },
                    "reference": {"reference": place.people["nurse"].practitioner},
                }
            ],
        },
    }
    await place.change("POST", "Consent", consent)
    assert not await nurse_has_rights(place.house.database.url)
    await place.settle_journal()
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    assert done.replayed.resources >= 1
    assert not await nurse_has_rights(url)
    assert await rows(url, GRANTS) == await rows(place.house.database.url, GRANTS)
    assert await rows(url, "select relation from relation where relation = $1", int(Relation.DENY))
    found = await rows(url, "select sealed from version where kind = $1 and superseded is null", kind_of("Consent"))
    assert found == await rows(
        place.house.database.url,
        "select sealed from version where kind = $1 and superseded is null",
        kind_of("Consent"),
    )


async def test_a_role_ended_after_the_backup_has_ended(place: Place) -> None:
    patient = await place.patient("gp")
    await place.settle_journal()
    where = await place.backup()
    role = place.people["gp"].role
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    answer = await place.house.engine.handle(maker, Request("GET", role))
    tree = {**json.loads(answer.body), "active": False}
    await place.change("PUT", role, tree)
    await place.settle_journal()
    url = await place.empty()
    await restore(url, place.provider, where, place.kept)
    held = await rows(url, "select active from held_role where role = $1", place.people["gp"].act.role)
    assert held == [(False,)]
    assert (
        await rows(
            url,
            "select 1 from access_grant where patient = $1 and principal = $2",
            patient,
            place.people["gp"].act.role,
        )
        == []
    )


async def test_accounts_suspended_after_the_backup_stay_suspended_and_sessions_do_not_come_back(place: Place) -> None:
    person = place.house.store.key(*place.people["gp"].practitioner.split("/"))
    assert person is not None
    async with place.house.database.writing.acquire() as one:
        await accounts.add(one, "dr.essai", person, password="correct horse battery")
    await place.settle_journal()
    where = await place.backup()
    async with place.house.database.writing.acquire() as one:
        await accounts.suspend(one, "dr.essai")
    await place.settle_journal()
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    assert done.replayed.accounts == 1
    assert await rows(url, "select active from account") == [(False,)]
    for table in archive.LEFT_OUT:
        if table != "access_session":  # the restore itself opens none; nothing of the backup is there
            assert await rows(url, f"select 1 from {table} limit 1") == []


async def test_replaying_twice_changes_nothing(place: Place) -> None:
    await place.patient("gp")
    where = await place.backup()
    await place.patient("nurse")
    await place.settle_journal()
    first, second = await place.empty(), await place.empty()
    await restore(first, place.provider, where, place.kept)
    (place.kept / "rights.jsonl").write_text((place.kept / "rights.jsonl").read_text() * 2)
    await restore(second, place.provider, where, place.kept)
    assert await rows(first, GRANTS) == await rows(second, GRANTS)
    assert await rows(first, BODIES) == await rows(second, BODIES)


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
    assert (found.patients, found.bodies) == (3, 6 + 9)
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


async def _patient_id(place: Place, patient: int) -> str:
    (row,) = await rows(
        place.house.database.url,
        "select res from version where patient = $1 and kind = $2",
        patient,
        kind_of("Patient"),
    )
    return place.house.store.id(Key(patient, kind_of("Patient"), row[0]))


async def test_every_table_is_in_a_backup_or_left_out_on_purpose() -> None:
    assert {table.name for table in archive.tables()} | archive.LEFT_OUT == set(metadata.tables)
    assert await _head() == SCHEMA


async def _head() -> str:
    return migrations.head()
