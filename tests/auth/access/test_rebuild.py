"""A full rebuild gives the rows that were there; changes at the same time lose nothing of each other."""

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liaison.auth.access import around, directory, grants, vocabulary
from liaison.auth.access.around import People
from liaison.auth.access.filter import Filter
from liaison.auth.access.hooks import Hooks
from liaison.auth.access.professionals import BY_STRUCTURE
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.rebuild import rebuild
from liaison.auth.access.relations import Relation
from liaison.auth.access.world import Fact, Held
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.engine import Engine

Tree = dict[str, Any]


async def rows(territory: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    pool = territory.database.reading
    return (
        sorted(map(tuple, await pool.fetch("select * from access_grant"))),
        sorted(map(str, await pool.fetch("select * from relation"))),
        sorted(map(str, await pool.fetch("select * from held_role"))),
        sorted(map(str, await pool.fetch("select * from organization_part"))),
    )


async def busy(territory: Any) -> Any:
    """A patient about whom every kind of fact is stated, and several changed again."""
    hospital = await territory.organization("Hôpital")
    unit = await territory.organization("Psychiatrie", part_of=hospital)
    service = await territory.organization("Aide à domicile")
    gp, nurse, specialist, opposed = [
        await territory.person(code, unit if code == "specialist" else "")
        for code in ("gp", "nurse", "specialist", "gp")
    ]
    aide, _manager = [await territory.person(code, service) for code in ("home-aide", "home-service-manager")]
    await territory.person("secretary", acts_for=gp.role)
    practice = await territory.organization("Maison de santé")
    await territory.person("nurse", await territory.organization("Cabinet infirmier", part_of=practice))
    await territory.person("hospital-doctor", unit)
    await territory.person("auditor", hospital)
    await territory.client(unit, "specialist", Purpose.TREAT)
    patient = await territory.patient(gp, nurse, opposed, service)
    soon = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    for tree in (
        territory.item_of(
            patient, "Encounter", status="in-progress", period={"start": now}, serviceProvider={"reference": unit},
            **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}},
        ),
        territory.consent(patient, "opposition", {"type": "deny", "actor": [territory.actor(opposed.role)]}),
        territory.consent(patient, provision={"type": "permit", "actor": [territory.actor(specialist.role)],
                                              "securityLabel": territory.classes("CLIN", "SENS")}),
        territory.consent(patient, provision={"type": "permit", "actor": [territory.actor(practice)]}),
        territory.item_of(
            patient, "Appointment", start=now, end=soon,
            participant=[{"actor": {"reference": patient.reference}, "status": "accepted"},
                         {"actor": {"reference": aide.role}, "status": "accepted"}],
        ),
        territory.item_of(
            patient, "RelatedPerson",
            extension=[{"url": vocabulary.REPRESENTATION, "extension": [
                {"url": "measure", "valueCode": "tutelle"}, {"url": "seenOn", "valueDate": "2026-01-05"},
                {"url": "seenBy", "valueReference": {"reference": gp.role}}]}],
        ),
    ):  # fmt: skip
        await territory.create(territory.system, tree)
    masked = await territory.create(gp.caller, territory.item_of(patient))
    data = [{"meaning": "instance", "reference": {"reference": masked}}]
    await territory.create(territory.system, territory.consent(patient, "masking", {"type": "deny", "data": data}))
    await territory.change(
        gp.caller, patient.made["team"], participant=[territory.member(one) for one in (gp, nurse, service)]
    )
    await territory.change(territory.system, nurse.role, period={"end": "2099-01-01"})
    await territory.create(gp.caller, {"resourceType": "Patient", "birthDate": "1950-01-01"})
    return gp, nurse, patient


async def test_a_rebuild_gives_the_same_rows(territory: Any) -> None:
    await busy(territory)
    before = await rows(territory)
    assert len(before[0]) > 20

    assert await rebuild(territory.database.writing, territory.store.vault) == 2

    assert await rows(territory) == before


EVERYBODY = """
    select role, practitioner, organization, role_code, acts_for, greatest(valid_from, $5), least(valid_to, $6)
    from held_role where active and ($1::bigint[], $2::bigint[], $3::text[], $4::text[]) is not null
"""


class Everybody(People):
    """The whole directory, for each record."""

    def around(self, facts: Sequence[Fact]) -> list[Held]:
        return list({one for by in (self._inside, self._named) for held in by.values() for one in held})


async def computed_again(territory: Any) -> set[int]:
    """The patients, whose grants were all computed anew."""
    async with territory.database.writing.acquire() as connection, connection.transaction():
        patients = {row[0] for row in await connection.fetch("delete from access_grant returning patient")}
        await grants.lock(connection, patients)
        await grants.recompute(connection, territory.store.vault, patients)
    return patients


async def test_whom_a_record_does_not_concern_have_nothing_on_it(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each record is asked of whom it concerns alone: asked of everybody in the directory, they give the same rows. What a
    structure's fact gives is among them, to a unit, a hospital and a home service."""
    for _ in range(2):
        await busy(territory)
    before = await rows(territory)
    by_structure = {
        row[0]
        for row in await territory.database.reading.fetch(
            "select g.relation from access_grant g join held_role h on h.role = g.principal"
            " where not exists (select from relation r where r.patient = g.patient"
            "                   and r.principal in (h.role, h.practitioner))"
        )
    }
    assert by_structure >= BY_STRUCTURE

    monkeypatch.setattr(around, "_HELD", EVERYBODY)
    monkeypatch.setattr(grants, "People", Everybody)
    assert len(await computed_again(territory)) >= 4

    assert await rows(territory) == before


@pytest.mark.parametrize("relation", sorted(BY_STRUCTURE), ids=lambda one: one.name)
async def test_the_loss_of_those_within_a_structure_is_seen(
    territory: Any, monkeypatch: pytest.MonkeyPatch, relation: Relation
) -> None:
    await busy(territory)
    before = await rows(territory)

    with monkeypatch.context() as planted:
        planted.setattr(around, "BY_STRUCTURE", BY_STRUCTURE - {relation})
        await computed_again(territory)
        assert await rows(territory) != before

    await computed_again(territory)
    assert await rows(territory) == before


async def comings(territory: Any) -> dict[str, int]:
    """Of how many records the grants are computed when somebody comes to a structure that twelve records name, by role."""
    service = await territory.organization("Aide à domicile", part_of=await territory.organization("CCAS"))
    gp = await territory.person("gp")
    for _ in range(12):
        await territory.patient(gp, service)
    counted: dict[str, int] = {}
    honest = grants.recompute
    with pytest.MonkeyPatch.context() as patch:
        for role in ("home-aide", "nurse", "home-service-manager"):
            patients: set[int] = set()

            async def spied(connection: Any, vault: Vault, some: Any, patients: set[int] = patients) -> None:
                patients |= set(some)
                await honest(connection, vault, some)

            patch.setattr(grants, "recompute", spied)
            came = await territory.person(role, service)
            patch.setattr(grants, "recompute", honest)
            counted[role] = len(patients)
            await territory.change(territory.system, came.role, period={"end": "2099-01-01"})
    return counted


async def test_whoever_comes_to_a_structure_touches_the_records_that_its_name_opens_to_their_role(
    territory: Any,
) -> None:
    """None for an aide, whose rights are her visits'; all for her manager, as a rebuild has it."""
    assert await comings(territory) == {"home-aide": 0, "nurse": 0, "home-service-manager": 12}

    before = await rows(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await rows(territory) == before


async def test_a_manager_who_is_forgotten_at_her_coming_is_seen_by_a_rebuild(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "BY_STRUCTURE", frozenset())
    await comings(territory)

    before = await rows(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await rows(territory) != before


async def test_a_rebuild_mends_what_was_tampered_with(territory: Any) -> None:
    await busy(territory)
    before = await rows(territory)
    for damage in (
        "delete from access_grant where rule = 20",
        "update access_grant set valid_to = 'infinity'",
        "delete from relation where relation = 30",
        "update held_role set role_code = 'gp' where role_code = 'auditor'",
        "delete from organization_part",
    ):
        await territory.database.writing.execute(damage)
        assert await rows(territory) != before, damage
        await rebuild(territory.database.writing, territory.store.vault)
        assert await rows(territory) == before, damage


async def test_an_opposition_and_an_invitation_at_the_same_time_both_count(territory: Any) -> None:
    """Without the lock, each computes grants from the facts it sees, and the last to write forgets the other's."""
    gp, opposed, *others = [await territory.person(code) for code in ("gp", "nurse", *["nurse"] * 4)]
    patient = await territory.patient(gp, opposed)
    deny = territory.consent(patient, "opposition", {"type": "deny", "actor": [territory.actor(opposed.role)]})
    teams = [territory.team(patient, [opposed, one]) for one in others]

    answers = await asyncio.gather(
        *(territory.ask(gp.caller, "POST", tree["resourceType"], tree) for tree in [*teams[:2], deny, *teams[2:]])
    )

    assert [answer.status for answer in answers] == [201] * 5, [answer.body for answer in answers]
    assert not await territory.sees(opposed.caller, patient.reference)
    for one in others:
        assert await territory.sees(one.caller, patient.reference)


async def test_without_the_lock_one_of_two_changes_is_lost(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling of the test above: with the fault planted, facts and grants come apart. Both concern one person, whose
    grants the one who has not heard of the opposition writes last."""

    async def unlocked(*_: object, **__: object) -> None: ...

    honest = grants.stated

    async def slow(connection: Any, patients: Any) -> Any:
        facts, resting = await honest(connection, patients)
        heard = any(one.relation is Relation.DENY for of_one in facts.values() for one in of_one)
        await asyncio.sleep(
            0.3 if heard else 0.5
        )  # the planted fault: between its reading and its writing the other comes
        return facts, resting

    gp, opposed = [await territory.person(code) for code in ("gp", "specialist")]
    patient = await territory.patient(gp, opposed)
    labels = territory.classes("CLIN", "SENS")
    permit = {"type": "permit", "actor": [territory.actor(opposed.role)], "securityLabel": labels}
    deny = territory.consent(patient, "opposition", {"type": "deny", "actor": [territory.actor(opposed.role)]})
    monkeypatch.setattr(grants, "lock", unlocked)
    monkeypatch.setattr(grants, "stated", slow)
    await asyncio.gather(
        *(
            territory.ask(territory.system, "POST", "Consent", tree)
            for tree in (deny, territory.consent(patient, provision=permit))
        )
    )
    monkeypatch.undo()
    before = await rows(territory)
    await rebuild(territory.database.writing, territory.store.vault)
    assert await rows(territory) != before


@pytest.mark.alone  # its key file is this test's own
async def test_a_right_withdrawn_is_gone_in_another_process_at_its_next_request(territory: Any, tmp_path: Any) -> None:
    """A second store on the same database, opened before the change, with caches of its own."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    async with await Database.connect(territory.database.url) as database:
        async with database.writing.acquire() as connection:
            vault = await Vault.open(connection, FileKeyProvider(tmp_path / "key"))
        async with Store(database, vault, Filter(), Hooks(vault, territory.journal)) as store:
            other = Engine(store, territory.journal, "https://record.example/fhir", {}, {})
            asked = Request("GET", patient.reference)
            assert (await other.handle(nurse.caller, asked)).status == 200

            await territory.change(gp.caller, patient.made["team"], participant=[territory.member(gp)])

            assert (await other.handle(nurse.caller, asked)).status == 404
            query = Request("GET", "Patient")
            assert json.loads((await other.handle(nurse.caller, query)).body).get("entry", []) == []
