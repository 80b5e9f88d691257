"""Conservation: the plan, legal holds, and destroying what is due, for the officer and administrators."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest

from liaison.auth.access import internal
from liaison.auth.journal.entry import Event
from liaison.auth.retention import holds
from liaison.fhir.store.contract import Key, Request

from ...oauth.conftest import Place
from ..browsing import say, text

Tree = dict[str, Any]
PLAN, HOLDS = "/conservation", "/conservation/blocages"


@pytest.fixture
async def officer(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with place.signed_in("dpo") as browser:
        yield browser


async def someone(place: Place, seen: str = "2001-05-10", **more: Any) -> Key:
    """A person whose only stay ended on that day."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    urn = "urn:uuid:00000000-0000-4000-8000-000000000001"
    stay = {
        "resourceType": "Encounter",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
        "subject": {"reference": urn},
        "period": {"start": seen, "end": seen},
    }
    person = {"resourceType": "Patient", "name": [{"family": "ESSAI"}], "birthDate": "1940-01-01", **more}
    entries = [
        {"fullUrl": urn, "resource": person, "request": {"method": "POST", "url": "Patient"}},
        {"resource": stay, "request": {"method": "POST", "url": "Encounter"}},
    ]
    bundle = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    answer = await place.house.engine.handle(maker, Request("POST", "", "", bundle))
    assert answer.status == 200, answer.body
    id_ = orjson.loads(answer.body)["entry"][0]["response"]["location"].split("/")[-3]
    key = place.house.store.key("Patient", id_)
    assert key is not None
    return key


async def there(place: Place, key: Key) -> bool:
    return bool(
        await place.house.database.reading.fetchval(
            "select exists (select from patient where patient = $1 and state = 0)", key.patient
        )
    )


async def journaled(place: Place, event: Event, key: Key) -> int:
    count = "select count(*) from journal_entry where event = $1 and patient = $2 and person <> 0"
    return int(await place.house.database.reading.fetchval(count, int(event), key.patient))


async def test_what_is_due_is_listed_by_number_and_destroyed_by_a_decision(
    place: Place, officer: httpx.AsyncClient
) -> None:
    due, kept = await someone(place), await someone(place, "2024-05-10")
    shown = await officer.get(PLAN)
    assert f"Patient/{place.house.store.id(due)}" in shown.text
    assert f"Patient/{place.house.store.id(kept)}" not in shown.text
    assert "ESSAI" not in shown.text
    assert "gardé jusqu’au 10 mai 2021 · délai après le dernier acte" in text(shown)
    for form in ({}, {"nombre": "1"}, {"decision": "Décision 12"}, {"decision": "Décision 12", "nombre": "2"}):
        assert (await say(officer, PLAN, **form)).status_code == 422, form
    await officer.post(PLAN, data={"decision": "Décision 12", "nombre": "1"})
    assert await there(place, due)

    done = await say(officer, PLAN, decision="Décision 12", nombre="1")

    assert "1 dossier détruit" in text(done)
    assert "Aucun dossier n’est à détruire" in text(done)
    assert (await there(place, due), await there(place, kept)) == (False, True)
    assert await journaled(place, Event.DESTRUCTION, due) == 1
    assert "Des dossiers ont été détruits" in text(await officer.get("/avis"))
    assert (await say(officer, PLAN, decision="Décision 12", nombre="1")).status_code in (404, 409)


async def test_what_a_death_alone_makes_due_comes_last_and_asks_by_what_it_is_established(
    place: Place, officer: httpx.AsyncClient
) -> None:
    due, dead = await someone(place), await someone(place, "2008-01-01", deceasedDateTime="2010-05-05")
    shown = await officer.get(PLAN)
    assert f"Patient/{place.house.store.id(due)}" in shown.text
    assert f"Patient/{place.house.store.id(dead)}" not in shown.text
    assert 'name="deces"' not in shown.text
    shown = await say(officer, PLAN, decision="Décision 12", nombre="1")
    assert f"Patient/{place.house.store.id(dead)}" in shown.text
    assert "Par quoi ces décès sont-ils établis" in text(shown)

    asked = await say(officer, PLAN, decision="Décision 12", nombre="1")
    assert asked.status_code == 422
    assert "Dites par quoi ces décès sont établis" in text(asked)
    assert await there(place, dead)
    done = await say(officer, PLAN, decision="Décision 12", nombre="1", deces="Actes vus le 3 mars")
    assert "1 dossier détruit" in text(done)
    assert not await there(place, dead)


async def test_a_hold_keeps_a_record_until_it_is_lifted(place: Place, officer: httpx.AsyncClient) -> None:
    due = await someone(place)
    number = f"Patient/{place.house.store.id(due)}"
    good = {"dossier": number, "raison": "inquiry", "motif": "Réquisition 7"}
    for name in good:
        assert (await say(officer, HOLDS, **{**good, name: ""})).status_code == 422, name
    assert (await say(officer, HOLDS, **{**good, "dossier": "Patient/personne"})).status_code == 422

    placed = await say(officer, HOLDS, **good)

    assert (placed.status_code, placed.headers["location"]) == (303, HOLDS)
    shown = await officer.get(HOLDS)
    assert number in shown.text
    assert "Réquisition 7 · Camille DPO, " in text(shown)
    assert await journaled(place, Event.HOLD, due) == 1
    assert "Aucun dossier n’est à détruire" in text(await officer.get(PLAN))
    async with place.house.database.writing.acquire() as one:
        (hold,) = await holds.in_force(one, place.house.vault)
    lift = f"{HOLDS}/lever"
    assert (await say(officer, HOLDS, lift, blocage=str(hold.number))).status_code == 422

    lifted = await say(officer, HOLDS, lift, blocage=str(hold.number), motif="Affaire close")

    assert (lifted.status_code, lifted.headers["location"]) == (303, HOLDS)
    assert "Aucun dossier n’est bloqué" in text(await officer.get(HOLDS))
    assert await journaled(place, Event.HOLD, due) == 2
    assert number in (await officer.get(PLAN)).text


async def test_neither_hold_nor_destruction_without_a_recent_proof(place: Place, officer: httpx.AsyncClient) -> None:
    due = await someone(place)
    await place.house.database.writing.execute("update browser_session set started_at = now() - interval '31 minutes'")
    number = f"Patient/{place.house.store.id(due)}"
    for page, form in (
        (PLAN, {"decision": "Décision 12", "nombre": "1"}),
        (HOLDS, {"dossier": number, "raison": "other", "motif": "Essai"}),
    ):
        assert (await say(officer, page, **form)).headers["location"].startswith("/confirmer"), page
    assert await there(place, due)
    assert await journaled(place, Event.HOLD, due) == 0


async def test_administrators_do_it_too_and_nobody_else(place: Place) -> None:
    async with place.signed_in("admin") as admin:
        assert PLAN in (await admin.get("/administration/comptes")).text
        assert "Conservation des dossiers" in text(await admin.get(PLAN))
    for other in ("nurse", "patient"):
        async with place.signed_in(other) as browser:
            for page in (PLAN, HOLDS):
                assert (await browser.get(page)).status_code == 404, (other, page)


async def test_what_has_left_active_use_is_archived_by_a_decision_and_opened_again(
    place: Place, officer: httpx.AsyncClient
) -> None:
    resting, busy = await someone(place, "2020-05-10"), await someone(place, "2025-05-10")
    number = f"Patient/{place.house.store.id(resting)}"
    shown = await officer.get(PLAN)
    assert "1 dossier est sorti de l’usage courant" in text(shown)
    assert (await say(officer, PLAN, f"{PLAN}/archiver")).status_code == 422
    await officer.post(f"{PLAN}/archiver", data={"decision": "Décision 9"})
    assert await archived(place) == set()

    done = await say(officer, PLAN, f"{PLAN}/archiver", decision="Décision 9")

    assert (done.status_code, done.headers["location"]) == (303, PLAN)
    assert await archived(place) == {resting.patient} != {busy.patient}
    assert "Archivés : fermés aux équipes, gardés 1" in text(await officer.get(PLAN))
    assert await journaled(place, Event.RIGHTS, resting) == 1
    for form in ({"dossier": number}, {"dossier": "Patient/rien", "motif": "Retour"}):
        assert (await say(officer, PLAN, f"{PLAN}/rouvrir", **form)).status_code == 422, form

    done = await say(officer, PLAN, f"{PLAN}/rouvrir", dossier=number, motif="La personne est revenue")

    assert (done.status_code, done.headers["location"]) == (303, PLAN)
    assert await archived(place) == set()
    assert await journaled(place, Event.RIGHTS, resting) == 2


async def archived(place: Place) -> set[int]:
    return {row[0] for row in await place.house.database.reading.fetch("select patient from archived_record")}
