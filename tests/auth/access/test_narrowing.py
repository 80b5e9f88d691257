"""While grants follow another table, nobody has more than both tables give: random tables over a world of every relationship."""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
import yaml

from liaison.auth.access import grants, narrowing
from liaison.auth.access.classes import Class
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.table import Table, packaged, packaged_text, parse
from liaison.fhir.store.contract import NAMES_HIDDEN

from .tables import NO_COMMUNICATION, WITHOUT_CLIN, adopt, regrant, withdraw

pytestmark = pytest.mark.alone  # which table is in force is everybody's

SEEDS = range(24)
REPLACING = {"start": "2020-01-01", "end": "2099-01-01"}
_COLUMNS = grants.COLUMNS.split(", ")


def mutated(seed: int) -> Table:
    """The packaged table with a few of its lines cut, widened, moved to other conditions or taken out."""
    dice, data = random.Random(seed), yaml.safe_load(packaged_text())
    lines = [(row, line) for row in data["rows"] for line in row["lines"]]
    for row, line in dice.sample(lines, 6):
        match dice.randrange(6):
            case 0 if isinstance(line["read"], list) and line["read"]:
                line["read"].remove(dice.choice(line["read"]))
            case 1 if isinstance(line["write"], list) and line["write"]:
                line["write"].remove(dice.choice(line["write"]))
            case 2 if isinstance(line["read"], list):
                line["read"].append(dice.choice(["CLIN", "SOC", "PSY", "SENS", "COORD"]))
            case 3:
                line["of"] = dice.choice(["all", "own", "service", "addressed"])
            case 4:
                line["when"] = dice.choice([[], ["informed"], ["attending"], ["mental-health"]])
            case _:
                row["lines"].remove(line)
        if line.get("read") == "same":
            line["limit"] = dice.sample(["SENS", "MINOR", "CLIN", "PSY"], 2)
    return parse(yaml.safe_dump(data))


@pytest.fixture
async def world(territory: Any) -> AsyncIterator[list[int]]:
    """Patients with someone in each relationship that a test may state."""
    service, ward = await territory.organization("Aide à domicile"), await territory.organization("Pneumologie")
    codes = ("gp", "nurse", "pharmacist", "physio", "social-worker", "coordinator", "psychologist", "specialist")
    people = {code: await territory.person(code) for code in codes}
    home = [await territory.person(code, service) for code in ("home-aide", "home-service-manager")]
    await territory.person("substitute", acts_for=people["gp"].role, period=REPLACING)
    await territory.person("trainee", acts_for=people["gp"].role, period=REPLACING)
    await territory.person("secretary", acts_for=people["nurse"].role, period=REPLACING)
    await territory.person("auditor")
    outside = await territory.person("physio", ward)
    await territory.client(service, "home-service-manager", Purpose.COORD)
    patients = []
    for informed in (True, False):
        patient = await territory.patient(*people.values(), *home, service, informed=informed)
        await territory.as_oneself(patient.reference)
        sharing = {
            "type": "permit",
            "actor": [territory.actor(outside.role)],
            "securityLabel": territory.classes("PSY", "CLIN"),
        }
        await territory.create(territory.system, territory.consent(patient, "sharing", sharing))
        attending = territory.member(people["gp"], role=territory.ATTENDING)
        await territory.create(territory.system, territory.team(patient, []) | {"participant": [attending]})
        opposed = {
            "type": "deny",
            "actor": [territory.actor(people["pharmacist"].role)],
            "securityLabel": territory.classes("ETP"),
        }
        await territory.create(territory.system, territory.consent(patient, "opposition", opposed))
        patients.append(territory.key(patient.reference).patient)
    yield patients


async def granted(connection: Any, vault: Any, patients: list[int]) -> list[dict[str, Any]]:
    keys, found = await vault.patient_keys(connection, patients), []
    for row in await connection.fetch(f"select {grants.COLUMNS} from access_grant where patient = any($1)", patients):
        one = dict(zip(_COLUMNS, row, strict=True))
        for name in ("mask", "write_mask"):
            one[name] = keys[one["patient"]].unpermute(one[name]) & ~NAMES_HIDDEN
        found.append(one)
    return found


def beyond(mine: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> list[Any]:
    """The grants of `mine` that give at some moment what no grant of `theirs` gives the same person on the same rows."""
    same = ("patient", "principal", "purpose")
    owners = ("author", "service", "addressee")
    known: dict[Any, list[dict[str, Any]]] = {}
    for one in theirs:
        known.setdefault(tuple(one[name] for name in same), []).append(one)
    found = []
    for one in mine:
        others = [
            other
            for other in known.get(tuple(one[name] for name in same), [])
            if all(other[name] in (0, one[name]) for name in owners)
        ]
        moments = {one["valid_from"], *(m for o in others for m in (o["valid_from"], o["valid_to"]))}
        for moment in sorted(m for m in moments if one["valid_from"] <= m < one["valid_to"]):
            for name in ("mask", "write_mask"):
                given = 0
                for other in others:
                    given |= other[name] if other["valid_from"] <= moment < other["valid_to"] else 0
                if one[name] & ~given:
                    found.append((one["rule"], one["relation"], name, Class(one[name] & ~given)))
    return found


async def _between(territory: Any, patients: list[int], before: Table, after: Table) -> list[list[dict[str, Any]]]:
    """The grants by one table, those in between, and those by the other."""
    vault, shots = territory.store.vault, []
    async with territory.database.writing.acquire() as connection:
        change = connection.transaction()
        await change.start()
        await grants._recompute(connection, vault, patients, before)
        shots.append(await granted(connection, vault, patients))
        await narrowing.narrow(connection, vault, [before], after)
        shots.append(await granted(connection, vault, patients))
        await grants._recompute(connection, vault, patients, after)
        shots.append(await granted(connection, vault, patients))
        await change.rollback()
    return shots


async def test_in_between_nobody_has_more_than_either_table_gives(territory: Any, world: list[int]) -> None:
    cut = kept = 0
    for seed in SEEDS:
        pair = [packaged(), mutated(seed)] if seed % 3 else [mutated(seed), mutated(seed + 1000)]
        for before, after in (pair, pair[::-1]):
            old, between, new = await _between(territory, world, before, after)
            assert beyond(between, old) == [], seed
            assert beyond(between, new) == [], seed
            cut += len(beyond(old, between))
            kept += len(between)
    assert cut > 100
    assert kept > 1000


async def test_without_the_cut_somebody_has(territory: Any, world: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling of the test above."""
    monkeypatch.setattr(narrowing, "lost", lambda *_: {})
    _old, between, new = await _between(territory, world, packaged(), parse(WITHOUT_CLIN))
    assert beyond(between, new) != []


async def test_what_neither_table_changes_stays_as_it_is(territory: Any, world: list[int]) -> None:
    old, between, new = await _between(territory, world, packaged(), parse(WITHOUT_CLIN))
    assert beyond(new, between) == []
    assert beyond(old, between) != []


async def test_two_tables_in_one_pass_are_both_kept_to(territory: Any) -> None:
    gp = await territory.person("gp")
    condition = await territory.item(await territory.patient(gp), "Condition")
    await adopt(territory, WITHOUT_CLIN)
    await withdraw(territory)
    assert not await territory.sees(gp.caller, condition)  # until its turn
    await regrant(territory)
    assert await territory.sees(gp.caller, condition)


async def test_types_are_those_of_both_tables_until_every_record_had_its_turn(territory: Any) -> None:
    service = await territory.organization("Aide à domicile")
    aide = await territory.person("home-aide", service)
    patient = await territory.patient(aide, service)
    note = territory.item_of(patient, "Communication")
    await adopt(territory, NO_COMMUNICATION)
    await regrant(territory)
    await withdraw(territory)
    assert (await territory.ask(aide.caller, "POST", "Communication", note)).status == 403
    await regrant(territory)
    assert (await territory.ask(aide.caller, "POST", "Communication", note)).status == 201
