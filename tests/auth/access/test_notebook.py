"""Carnet partagé: whom the person has named reads and writes notes of visibility « proches » and sees the visits, nothing else."""

from typing import Any

import pytest

from liaison.auth.access import vocabulary

from .pieces import label, moment

Tree = dict[str, Any]
PROCHES: Tree = {"meta": {"security": [{"system": vocabulary.VISIBILITY, "code": "proches"}]}}


async def named(territory: Any, *team: Any) -> tuple[Any, Any, str]:
    """A patient, the session of a relative whom they have named for the notebook, and the Consent."""
    patient = await territory.patient(*team)
    relative = await territory.create(territory.system, territory.item_of(patient, "RelatedPerson"))
    provision = {
        "type": "permit",
        "actor": [territory.actor(relative)],
        "securityLabel": territory.classes("PROCHES", "APPT"),
    }
    consent = await territory.create(territory.system, territory.consent(patient, provision=provision))
    return patient, await territory.as_oneself(relative, "caregiver"), consent


async def test_a_relative_reads_the_notebook_and_the_visits_and_nothing_else(territory: Any) -> None:
    gp = await territory.person("gp")
    patient, relative, _ = await named(territory, gp)
    note = await territory.item(patient, "Communication", **PROCHES)
    visit = await territory.item(patient, "Appointment")
    hidden = [
        await territory.item(patient, type_)
        for type_ in ("Communication", "Condition", "CarePlan", "Flag", "Task", "DocumentReference", "RelatedPerson")
    ]
    hidden.append(await territory.item(patient, **territory.vital()))

    assert await territory.sees(relative, note)
    assert await territory.sees(relative, visit)
    for one in (*hidden, patient.reference, patient.made["team"]):
        assert not await territory.sees(relative, one), one
    assert await territory.search(relative, "Communication") == [note]
    assert await territory.search(relative, "Patient") == []


async def test_a_relative_writes_notes_and_nothing_else(territory: Any) -> None:
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient, relative, _ = await named(territory, gp, aide)
    service = await territory.organization("Aide à domicile")
    other = await territory.patient(gp)
    note = territory.item_of(patient, "Communication", **PROCHES, recipient=[{"reference": service}])

    written = await territory.create(relative, note)
    assert await territory.sees(gp.caller, written)
    for tree in (
        territory.item_of(patient, "Communication"),
        territory.item_of(patient, "Appointment"),
        territory.item_of(patient, **territory.vital(), **PROCHES),
    ):
        assert (await territory.ask(relative, "POST", tree["resourceType"], tree)).status == 403
    elsewhere = territory.item_of(other, "Communication", **PROCHES)
    assert (await territory.ask(relative, "POST", "Communication", elsewhere)).status == 422
    lifted = await territory.change(relative, written, **label("COORD"))
    assert lifted.status == 403


@pytest.mark.parametrize("how", ["withdrawn", "over", "opposed"])
async def test_with_the_permission_everything_is_gone_at_the_next_request(territory: Any, how: str) -> None:
    gp = await territory.person("gp")
    patient, relative, consent = await named(territory, gp)
    note = await territory.item(patient, "Communication", **PROCHES)
    assert await territory.sees(relative, note)

    if how == "withdrawn":
        await territory.change(territory.system, consent, status="inactive")
    elif how == "over":
        tree = await territory.tree(consent)
        ended = {**tree["provision"], "period": {"end": moment(days=1)}}
        await territory.change(territory.system, consent, provision=ended)
    else:
        await territory.create(gp.caller, territory.consent(patient, "opposition", {"type": "deny"}))

    assert not await territory.sees(relative, note)
    tree = territory.item_of(patient, "Communication", **PROCHES)
    assert (await territory.ask(relative, "POST", "Communication", tree)).status in (403, 404, 422)


async def test_the_aide_reads_what_is_addressed_to_her_service(territory: Any) -> None:
    service, elsewhere = await territory.organization("Aide à domicile"), await territory.organization("Autre")
    gp, aide = await territory.person("gp"), await territory.person("home-aide", service)
    patient, relative, _ = await named(territory, gp, aide)
    mine, not_mine = [
        await territory.create(
            relative, territory.item_of(patient, "Communication", **PROCHES, recipient=[{"reference": one}])
        )
        for one in (service, elsewhere)
    ]

    assert await territory.sees(aide.caller, mine)
    assert not await territory.sees(aide.caller, not_mine)
