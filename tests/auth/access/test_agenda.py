"""The agenda of a structure is kept by its own people, and by nobody else: it names no patient and gives no right."""

from typing import Any

import pytest

from liaison.auth.access import agenda, vocabulary

from .pieces import Tree


def schedule(organization: str, role: str) -> Tree:
    kept = {"url": vocabulary.KEPT_BY, "valueReference": {"reference": organization}} if organization else None
    tree: Tree = {"resourceType": "Schedule", "active": True, "actor": [{"reference": role}]}
    return {**tree, "extension": [kept]} if kept else tree


def slot(organization: str, of: str) -> Tree:
    return {
        "resourceType": "Slot",
        "extension": schedule(organization, of)["extension"],
        "schedule": {"reference": of},
        "status": "free",
        "start": "2026-12-08T14:00:00+01:00",
        "end": "2026-12-08T15:30:00+01:00",
    }


@pytest.fixture
async def house(territory: Any) -> Any:
    """A coordinator of one structure, a nurse of another, and where they work."""
    ours, theirs = await territory.organization("Maison de santé"), await territory.organization("Autre maison")
    return await territory.person("coordinator", ours), await territory.person("nurse", theirs), ours, theirs


async def test_the_people_of_a_structure_keep_its_agenda(territory: Any, house: Any) -> None:
    coordinator, _, ours, _ = house

    made = await territory.create(coordinator.caller, schedule(ours, coordinator.role))
    place = await territory.create(coordinator.caller, slot(ours, made))

    assert (await territory.change(coordinator.caller, place, status="busy")).status == 200


async def test_nobody_keeps_the_agenda_of_another_structure(territory: Any, house: Any) -> None:
    coordinator, nurse, ours, theirs = house
    made = await territory.create(coordinator.caller, schedule(ours, coordinator.role))

    for organization in (ours, ""):
        tree = schedule(organization, nurse.role)
        assert (await territory.ask(nurse.caller, "POST", "Schedule", tree)).status == 403
    assert (await territory.change(nurse.caller, made, active=False)).status == 403
    taken = schedule(theirs, nurse.role)["extension"]
    assert (await territory.change(nurse.caller, made, extension=taken)).status == 403
    assert (await territory.change(coordinator.caller, made, extension=taken)).status == 403
    assert (await territory.ask(nurse.caller, "DELETE", made)).status == 403


async def test_without_the_check_another_would_change_it(
    territory: Any, house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator, nurse, ours, _ = house
    made = await territory.create(coordinator.caller, schedule(ours, coordinator.role))
    monkeypatch.setattr(agenda, "keeps", lambda *_: True)

    assert (await territory.change(nurse.caller, made, active=False)).status == 200


@pytest.mark.parametrize("role", ["auditor", "dpo", "referent"])
async def test_who_writes_no_appointment_keeps_no_agenda(territory: Any, role: str) -> None:
    ours = await territory.organization("Maison de santé")
    person = await territory.person(role, ours)

    assert (await territory.ask(person.caller, "POST", "Schedule", schedule(ours, person.role))).status == 403


async def test_the_rest_of_the_directory_stays_its_administrators(territory: Any, house: Any) -> None:
    coordinator, _, ours, _ = house
    kept = schedule(ours, coordinator.role)["extension"]
    place = {"resourceType": "Location", "name": "Salle", "extension": kept}

    assert (await territory.ask(coordinator.caller, "POST", "Location", place)).status == 403
