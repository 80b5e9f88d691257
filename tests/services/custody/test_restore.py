"""Restores of a real base: what comes back, and what must not come back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.relations import Relation
from liaison.auth.journal.live import Live
from liaison.auth.journal.verify import verify
from liaison.auth.people import accounts
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Request
from liaison.fhir.store.database import check_schema, connection
from liaison.fhir.store.erasure import erase
from liaison.services.custody import archive, outside
from liaison.services.custody.restore import restore
from liaison.services.house import House

from ..conftest import write
from .place import BODIES, GRANTS, Place, patient_id, place, restored_house, rows

__all__ = ["place"]

pytestmark = pytest.mark.http  # a whole house each: counted with the tests of the whole service


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
        "select * from reindexing order by 1",
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
    assert verdict.breaks == 1


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
    relative = await place.patient("gp", "nurse")
    await place.settle_journal()
    where = await place.backup()
    principals = set(place.people["nurse"].act.principals)

    async def nurse_has_rights(url: str) -> bool:
        found = await rows(url, "select principal from access_grant where patient = $1 and mask <> 0", patient)
        return bool(principals & {row[0] for row in found})

    assert await nurse_has_rights(place.house.database.url)
    id_ = await patient_id(place, patient)
    of_relative: dict[str, Any] = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    of_relative["subject"] = {"reference": f"Patient/{await patient_id(place, relative)}"}
    before = (await place.change("POST", "QuestionnaireResponse", of_relative))["id"]
    consent = {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": f"Patient/{id_}"},
        "sourceReference": {"reference": f"QuestionnaireResponse/{before}"},
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
    referring = "select patient, source from referring order by 1, 2"
    assert await rows(url, referring) == await rows(place.house.database.url, referring) != []


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
        account = await accounts.by_username(one, "dr.essai")
        assert account is not None
        await accounts.end_at(one, account.number, datetime(2024, 6, 30, tzinfo=UTC))
    await place.settle_journal()
    url = await place.empty()
    done = await restore(url, place.provider, where, place.kept)
    assert done.replayed.accounts == 1
    assert await rows(url, "select active, ends_at < now() from account") == [(False, True)]
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


async def test_what_is_no_longer_known_of_a_profession_after_the_backup_opens_nothing(place: Place) -> None:
    """The role in someone's place is as it was: what closed it is the qualification of its holder, which was taken back."""
    patient = await place.patient("gp")
    known = {"code": {"coding": [{"system": vocabulary.PROFESSION, "code": "10"}]}}
    person = await place.change("POST", "Practitioner", {"resourceType": "Practitioner", "qualification": [known]})
    role = {
        "resourceType": "PractitionerRole",
        "active": True,
        "practitioner": {"reference": f"Practitioner/{person['id']}"},
        "code": [{"coding": [{"system": vocabulary.ROLE, "code": "substitute"}]}],
        "extension": [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": place.people["gp"].role}}],
        "period": {"start": "2026-01-01", "end": "2099-01-01"},
    }
    await place.change("POST", "PractitionerRole", role)
    await place.settle_journal()
    where = await place.backup()
    substitutes = "select active from held_role where role_code = 'substitute'"
    granted = (
        "select 1 from access_grant g join held_role h on h.role = g.principal where h.role_code = 'substitute'"
        " and g.patient = $1"
    )
    assert await rows(place.house.database.url, substitutes) == [(True,)]
    assert await rows(place.house.database.url, granted, patient)

    withdrawn = {name: value for name, value in person.items() if name != "qualification"}
    await place.change("PUT", f"Practitioner/{person['id']}", withdrawn)
    await place.settle_journal()
    url = await place.empty()
    await restore(url, place.provider, where, place.kept)

    assert await rows(url, substitutes) == [(False,)]
    assert await rows(url, granted, patient) == []
    assert await rows(url, "select role_code from awaiting_role") == [("substitute",)]
