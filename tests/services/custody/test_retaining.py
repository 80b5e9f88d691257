"""Records whose time is over: what the plan says of a real base, what is destroyed, what a legal hold keeps."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from liaison.auth.access import internal
from liaison.auth.journal.entry import Event
from liaison.auth.retention import holds
from liaison.auth.retention.records import Record
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request
from liaison.fhir.store.erasure import erase
from liaison.fhir.vault import Vault
from liaison.services.custody import retaining
from liaison.services.custody.checks import LOOK, OK, retention
from liaison.services.custody.restore import restore

from ..conftest import write
from ..console import typed
from .place import Place, patient_id, place, rows

__all__ = ["place"]

pytestmark = pytest.mark.http  # a whole house each: counted with the tests of the whole service

BY = ("--by", "Mme Exemple, directrice", "--why", "décision 2026-12")


async def person(place: Place, *, seen: str = "2001-05-10", ended: bool = True, **more: Any) -> int:
    """The number of a patient with one stay."""
    urn = "urn:uuid:00000000-0000-4000-8000-000000000001"
    patient = {"resourceType": "Patient", "name": [{"family": "ESSAI"}], "birthDate": "1940-01-01", **more}
    period = {"start": seen, "end": seen} if ended else {"start": seen}
    stay = {
        "resourceType": "Encounter",
        "status": "finished" if ended else "in-progress",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": urn},
        "period": period,
    }
    entries: list[dict[str, Any]] = [
        {"fullUrl": urn, "resource": patient, "request": {"method": "POST", "url": "Patient"}},
        {"resource": stay, "request": {"method": "POST", "url": "Encounter"}},
    ]
    key = place.house.store.key(*(await write(place.house, entries))[0].split("/"))
    assert isinstance(key, Key)
    return key.patient


async def planned(place: Place) -> retaining.Plan:
    async with place.house.database.writing.acquire() as one, one.transaction():
        return await retaining.plan(one, place.house)


def patients(found: Iterable[Record]) -> set[int]:
    return {patient for one in found for patient in one.patients}


async def there(place: Place, patient: int) -> bool:
    return bool(await rows(place.house.database.url, "select 1 from version where patient = $1 limit 1", patient))


def console(place: Place, *words: str, given: str = "") -> Any:
    settings = place.settings
    names = {"DATABASE_URL": settings.database_url, "DATA": settings.data, "KEY_FILE": settings.key_file}
    return typed({f"LIAISON_{name}": str(value) for name, value in names.items()}, "retention", *words, given=given)


async def test_the_plan_tells_what_is_due_what_rests_and_what_is_in_use(place: Place) -> None:
    due, rests = await person(place), await person(place, seen="2019-05-10")
    dead = await person(place, seen="2008-01-01", deceasedDateTime="2010")
    child = await person(place, birthDate="2000-01-01")
    stays = await person(place, ended=False)
    undated = await place.patient("gp")
    found = await planned(place)
    assert patients(found.due) == {due, dead}
    assert patients(found.at_rest) == {rests, child}
    assert found.open_stays == 1
    assert found.to_come()[2028] == 1
    assert patients(found.records) == {due, rests, dead, child, stays, undated}


async def test_a_day_of_death_destroys_nothing_by_itself(place: Place) -> None:
    """Whoever typed the wrong day into an identity would have the record destroyed ten years early."""
    dead = await person(place, seen="2008-01-01", deceasedDateTime="2010")
    old = await person(place, deceasedDateTime="2003-01-01")  # due by its last act too
    found = await planned(place)
    assert (patients(found.due), patients(found.due_by_death)) == ({dead, old}, {dead})
    by_death = next(one for one in found.due if dead in one.patients)
    assert await retaining.destroy(place.house, by_death, by="la directrice", why="12") == retaining.UNSEEN
    assert await retaining.destroy(place.house, by_death, by="la directrice", why="12", deaths=" ") == retaining.UNSEEN

    told = json.loads(console(place, "plan", "--json").stdout)
    assert len(told["due"]) == 2
    assert told["due_by_a_death_alone"] == [f"Patient/{await patient_id(place, dead)}"]
    done = console(place, "apply", "--destroy", *BY, "--confirm", "1")
    assert done.returncode == 1
    assert "kept (due by a death that nobody established)" in done.stdout
    assert (await there(place, dead), await there(place, old)) == (True, False)

    sure = console(place, "apply", "--destroy", *BY, "--confirm", "1", "--deaths", "actes vus par Mme Exemple")
    assert sure.returncode == 0, sure.stderr
    assert not await there(place, dead)


async def test_without_the_look_at_the_death_it_would_be_gone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is there to find."""
    dead = await person(place, seen="2008-01-01", deceasedDateTime="2010")
    monkeypatch.setattr(retaining, "rests_on_a_death", lambda *_: False)
    (record,) = (await planned(place)).due
    assert await retaining.destroy(place.house, record, by="la directrice", why="12") == retaining.DESTROYED
    assert not await there(place, dead)


async def test_records_of_one_person_are_kept_for_the_later_of_them(place: Place) -> None:
    recent = await person(place, seen="2019-05-10")
    other = {"reference": f"Patient/{await patient_id(place, recent)}"}
    old = await person(place, link=[{"other": other, "type": "seealso"}])
    found = await planned(place)
    assert {one.patients for one in found.records} == {tuple(sorted((recent, old)))}
    assert found.due == ()


async def _tables_of(url: str, patient: int) -> set[str]:
    """The tables that have a row of the patient."""
    asked = (
        "select table_name from information_schema.columns where column_name = 'patient' and table_schema = 'public'"
    )
    found = [str(name) for (name,) in await rows(url, asked)]
    return {one for one in found if await rows(url, f"select from {one} where patient = $1 limit 1", patient)}


async def test_what_is_destroyed_leaves_a_tombstone_and_an_entry_and_no_way_in(place: Place) -> None:
    gone, stays = await person(place), await person(place, seen="2019-05-10")
    id_ = await patient_id(place, gone)
    (res,) = (
        await rows(
            place.house.database.url,
            "select res from version where patient = $1 and kind = $2",
            gone,
            kind_of("Patient"),
        )
    )[0]
    async with place.house.database.writing.acquire() as one:
        await one.execute(
            "insert into account (account, username, password, fhir_kind, fhir_patient, fhir_res)"
            " values (7, 'marie.essai', 'x', $1, $2, $3)",
            kind_of("Patient"),
            gone,
            res,
        )
    (record,) = (await planned(place)).due
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.DESTROYED
    url = place.house.database.url
    assert await rows(url, "select wrapped, state from patient where patient = $1", gone) == [(None, 1)]
    assert not await there(place, gone)
    assert await there(place, stays)
    assert await _tables_of(url, gone) == {"patient", "journal_entry"}
    assert {"relation", "access_grant", "version"} <= await _tables_of(url, stays)
    assert await rows(url, "select username, password, active from account") == [("erased-7", None, False)]
    assert await rows(url, "select patient from journal_entry where event = $1", int(Event.DESTRUCTION)) == [(gone,)]
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    assert (await place.house.engine.handle(maker, Request("GET", f"Patient/{id_}"))).status == 404
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.CHANGED


async def test_nothing_goes_when_its_entry_cannot_be_written(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = await person(place)
    (record,) = (await planned(place)).due

    async def broken(*_: object) -> None:
        raise asyncpg.PostgresConnectionError

    monkeypatch.setattr(place.house.journal, "record_within", broken)
    with pytest.raises(asyncpg.PostgresConnectionError):
        await retaining.destroy(place.house, record, by="la directrice", why="décision 12")
    assert await there(place, patient)
    assert await rows(place.house.database.url, "select state from patient where patient = $1", patient) == [(0,)]


async def test_an_act_that_came_after_the_plan_keeps_the_record(place: Place) -> None:
    patient = await person(place)
    (record,) = (await planned(place)).due
    subject = {"reference": f"Patient/{await patient_id(place, patient)}"}
    code = {"text": "Tension"}
    seen = {"resourceType": "Observation", "status": "final", "code": code, "subject": subject}
    await place.change("POST", "Observation", {**seen, "effectiveDateTime": "2026-01-05"})
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.CHANGED
    assert await there(place, patient)


async def held_after_the_plan(place: Place) -> tuple[Record, int, int]:
    patient = await person(place)
    (record,) = (await planned(place)).due
    async with place.house.database.writing.acquire() as one, one.transaction():
        number = await holds.place(
            one, place.house.vault, patient, ground="inquiry", by="Me Exemple", why="réquisition 7"
        )
    return record, patient, number


async def test_a_legal_hold_keeps_the_record_until_it_is_lifted(place: Place) -> None:
    record, patient, number = await held_after_the_plan(place)
    assert (await planned(place)).due == ()
    assert patients((await planned(place)).held) == {patient}
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.HELD
    assert await there(place, patient)
    sealed = await rows(place.house.database.url, "select sealed from legal_hold")
    assert b"quisition" not in sealed[0][0]
    async with place.house.database.writing.acquire() as one, one.transaction():
        await holds.lift(one, place.house.vault, number, by="Me Exemple", why="classée")
        with pytest.raises(holds.NotHeld):
            await holds.lift(one, place.house.vault, number, by="Me Exemple", why="classée")
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.DESTROYED


async def test_without_the_look_at_holds_it_would_be_gone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault that the test above is there to find."""
    record, patient, _ = await held_after_the_plan(place)

    async def nobody(*_: object) -> frozenset[int]:
        return frozenset()

    monkeypatch.setattr(holds, "held", nobody)
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.DESTROYED
    assert not await there(place, patient)


async def test_nobody_destroyed_and_no_lifted_hold_comes_back_by_a_restore(place: Place) -> None:
    gone, kept, free = await person(place), await person(place), await person(place)
    async with place.house.database.writing.acquire() as one, one.transaction():
        lifted = await holds.place(one, place.house.vault, free, ground="litigation", by="Me Exemple", why="recours 1")
        await one.execute(
            "insert into account (account, username, fhir_kind, fhir_patient, fhir_res) values (7, 'marie', 1, $1, 1)",
            gone,
        )
    await place.settle_journal()
    where = await place.backup()
    async with place.house.database.writing.acquire() as one, one.transaction():
        await holds.place(one, place.house.vault, kept, ground="litigation", by="Me Exemple", why="recours 2")
        await holds.lift(one, place.house.vault, lifted, by="Me Exemple", why="rejeté")
    for record in (await planned(place)).due:
        if gone in record.patients:
            await retaining.destroy(place.house, record, by="la directrice", why="décision 12")
    await retaining.keep_outside(place.house)
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    assert done.replayed.erased == 1
    assert await rows(url, "select state, wrapped from patient where patient = $1", gone) == [(1, None)]
    assert await rows(url, "select 1 from version where patient = $1 limit 1", gone) == []
    assert await rows(url, "select username, active from account") == [("erased-7", False)]
    assert await rows(url, "select patient, lifted_at is null from legal_hold order by 2") == [
        (free, False),
        (kept, True),
    ]


async def test_the_console_destroys_what_is_confirmed_and_only_then(place: Place) -> None:
    due = await person(place)
    held = await person(place)
    number = f"Patient/{await patient_id(place, held)}"
    placed = console(place, "hold", number, "--ground", "litigation", *BY)
    assert placed.returncode == 0, placed.stderr
    (one,) = json.loads(console(place, "holds", "--json").stdout)
    assert (one["records"], one["ground"], one["by"]) == ([number], "litigation", BY[1])
    data = json.loads(console(place, "plan", "--json").stdout)
    assert [one["records"] for one in data["due"]] == [[f"Patient/{await patient_id(place, due)}"]]
    assert [one["records"] for one in data["held"]] == [[number]]
    assert "ESSAI" not in console(place, "plan").stdout
    assert console(place, "apply").returncode == 0
    assert console(place, "apply", "--destroy").returncode == 2
    assert console(place, "apply", "--destroy", *BY, given="2\n").returncode == 1
    assert await there(place, due)
    done = console(place, "apply", "--destroy", *BY, given="1\n")
    assert (done.returncode, await there(place, due), await there(place, held)) == (0, False, True), done.stderr
    assert (place.kept / "state.json").exists()
    assert console(place, "lift", str(one["hold"]), *BY).returncode == 0
    assert console(place, "lift", str(one["hold"]), *BY).returncode == 1
    assert console(place, "hold", "Patient/nobody", "--ground", "litigation", *BY).returncode == 1
    events = await rows(
        place.house.database.url,
        "select event, count(*) from journal_entry where event in (64, 65) group by 1 order by 1",
    )
    assert events == [(64, 2), (65, 1)]


async def test_the_console_archives_what_rests_and_opens_again_what_is_in_use(place: Place) -> None:
    resting, due, busy = [await person(place, seen=day) for day in ("2020-05-10", "2001-05-10", "2025-05-10")]
    names = {one: f"Patient/{await patient_id(place, one)}" for one in (resting, due, busy)}
    plan = json.loads(console(place, "plan", "--json").stdout)
    assert {one["records"][0] for one in plan["to_archive"]} == {names[resting], names[due]}

    done = json.loads(console(place, "archive", *BY, "--json").stdout)

    assert (set(done["archived"]), done["reopened"]) == ({names[resting], names[due]}, [])
    assert json.loads(console(place, "archive", *BY, "--json").stdout) == {"archived": [], "reopened": []}
    stay = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": names[resting]},
        "period": {"start": "2025-05-10", "end": "2025-05-10"},
    }
    await place.change("POST", "Encounter", stay)
    assert json.loads(console(place, "archive", *BY, "--json").stdout) == {"archived": [], "reopened": [names[resting]]}
    assert console(place, "reopen", names[resting], *BY).returncode == 1
    assert console(place, "reopen", names[due], *BY).returncode == 0
    assert json.loads(console(place, "plan", "--json").stdout)["archived"] == []


async def test_stopped_in_between_it_goes_on_where_it_was(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [await person(place), await person(place)]
    erased: list[int] = []

    async def once(connection: asyncpg.Connection, vault: Vault, patient: int) -> bool:
        if erased:
            raise asyncpg.PostgresConnectionError("the connection was lost")
        erased.append(patient)
        return await erase(connection, vault, patient)

    with monkeypatch.context() as cut:
        cut.setattr(retaining, "erase", once)
        assert console(place, "apply", "--destroy", *BY, "--confirm", "2").returncode == 1
    assert [await there(place, patient) for patient in sorted(both)] == [
        patient not in erased for patient in sorted(both)
    ]
    assert json.loads((place.kept / "state.json").read_text())["erased"] == erased
    assert console(place, "apply", "--destroy", *BY, "--confirm", "1").returncode == 0
    assert not any([await there(place, patient) for patient in both])


async def test_doctor_says_what_is_due(place: Place) -> None:
    async with place.house.database.writing.acquire() as one:
        assert (await retention(one, place.house.vault)).level == OK
        await person(place)
        found = await retention(one, place.house.vault)
    assert (found.level, found.text.startswith("1 dossier")) == (LOOK, True)


async def test_an_import_of_the_same_file_does_not_make_a_destroyed_record_anew(place: Place, tmp_path: Path) -> None:
    """Nor what has changed in it since: the ledger remembers its names as digests, and nothing else of it."""
    patient = {"resourceType": "Patient", "id": "p1", "name": [{"family": "ESSAI"}], "birthDate": "1930-01-01"}
    stay = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": "Patient/p1"},
        "period": {"start": "2001-01-01", "end": "2001-01-02"},
    }
    other = {**patient, "id": "p2", "name": [{"family": "AUTRE"}], "birthDate": "1990-01-01"}
    old = tmp_path / "old.ndjson"
    old.write_text("".join(json.dumps(one) + "\n" for one in (patient, stay, other)))
    settings = place.settings
    names = {"DATABASE_URL": settings.database_url, "DATA": settings.data, "KEY_FILE": settings.key_file}
    environment = {f"LIAISON_{name}": str(value) for name, value in names.items()}

    def imported() -> dict[str, Any]:
        done = typed(environment, "import", "--json", "--source", "ancien", str(old))
        assert done.returncode == 0, done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    assert imported()["created"] == {"Encounter": 1, "Patient": 2}
    (record,) = (await planned(place)).due
    assert await retaining.destroy(place.house, record, by="la directrice", why="décision 12") == retaining.DESTROYED

    for changed in (False, True):
        if changed:
            old.write_text(old.read_text().replace("2001-01-02", "2001-01-03"))
        report = imported()
        assert (report["created"], report["updated"]) == ({}, {})
        assert (report["destroyed"], report["unchanged"]) == ({"Encounter": 1, "Patient": 1}, {"Patient": 1})
    assert (await planned(place)).due == ()
    columns = await rows(
        place.house.database.url,
        "select column_name from information_schema.columns where table_name = 'import_destroyed'",
    )
    assert columns == [("source_key",)]
