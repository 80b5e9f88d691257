"""A Consent does what whoever wrote it believes: an opposition stops somebody today, a permission opens what it names."""

import json
from typing import Any

import pytest

from .pieces import Tree, label, moment

DENY: Tree = {"type": "deny"}


@pytest.mark.parametrize(
    ("period", "element"),
    [
        ({"end": moment(days=1)}, "end"),
        ({"start": "2020-01-01", "end": "2020-02-01"}, "end"),
        ({"start": moment(days=-1)}, "start"),
        ({"start": "2099-01-01", "end": "2099-02-01"}, "start"),
    ],
    ids=["over", "over for long", "tomorrow", "in a far year"],
)
@pytest.mark.parametrize("place", ["root", "nested"])
@pytest.mark.parametrize("status", ["active", "proposed"])
async def test_an_opposition_is_in_force_at_once_or_refused(
    territory: Any, period: Tree, element: str, place: str, status: str
) -> None:
    """Whoever recorded one that is over, or to come, would believe that it stops somebody."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    denied = {**DENY, "actor": [territory.actor(nurse.role)], "period": period}
    nested = place == "nested"
    consent = territory.consent(
        patient, "opposition", {"type": "deny", "provision": [denied]} if nested else denied, status=status
    )
    if nested:
        del consent["provision"]["type"]

    answer = await territory.ask(gp.caller, "POST", "Consent", consent)

    assert answer.status == 422
    path = "Consent.provision.provision" if nested else "Consent.provision"
    assert json.loads(answer.body)["issue"][0]["expression"] == [f"{path}.period.{element}"]
    assert await territory.sees(nurse.caller, patient.reference)


@pytest.mark.parametrize(
    "period",
    [{}, {"start": "2026-01-01"}, {"end": moment(days=-9)}, {"start": moment(minutes=-2)}],
    ids=["none", "begun", "to an end", "a clock that is ahead"],
)
async def test_an_opposition_of_today_is_taken_with_the_end_that_the_person_gives_it(
    territory: Any, period: Tree
) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    denied = {**DENY, "actor": [territory.actor(nurse.role)], **({"period": period} if period else {})}

    await territory.create(gp.caller, territory.consent(patient, "opposition", denied))

    begun = "start" not in period or period["start"] < moment()
    assert await territory.sees(nurse.caller, patient.reference) is not begun


async def test_an_opposition_that_came_to_its_end_is_still_written_in_other_elements(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    over = {**DENY, "actor": [territory.actor(nurse.role)], "period": {"end": moment(days=3)}}
    brought = await territory.create(territory.system, territory.consent(patient, "opposition", over))

    assert (await territory.change(gp.caller, brought, language="fr")).status == 200


@pytest.mark.parametrize("name", ["PROT", "MASKED", "AUD"])
async def test_a_permission_opens_nothing_that_is_not_the_persons_to_give(territory: Any, name: str) -> None:
    """Rows 24, 25 and 26b: refused where somebody writes it, and without effect where an import brought it."""
    gp, outside = await territory.person("gp"), await territory.person("specialist")
    patient = await territory.patient(gp)
    report = await territory.create(gp.caller, territory.item_of(patient, **label("PROT")))
    problem = await territory.create(gp.caller, territory.item_of(patient, "Condition"))
    hidden = await territory.create(gp.caller, territory.item_of(patient, "Condition"))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": hidden}}]}
    await territory.create(gp.caller, territory.consent(patient, "masking", masking))
    permit = {"type": "permit", "actor": [territory.actor(outside.role)],
              "securityLabel": territory.classes("CLIN", "ADM", name)}  # fmt: skip

    answer = await territory.ask(gp.caller, "POST", "Consent", territory.consent(patient, provision=permit))

    assert answer.status == 422
    assert json.loads(answer.body)["issue"][0]["expression"] == ["Consent.provision.securityLabel"]
    await territory.create(territory.system, territory.consent(patient, provision=permit))
    assert await territory.sees(outside.caller, problem)
    assert not await territory.sees(outside.caller, report)
    assert not await territory.sees(outside.caller, hidden)


@pytest.mark.parametrize("name", ["PSY", "SENS", "NOTE3P", "MINOR"])
async def test_a_caregiver_reads_nothing_clinical_whatever_a_permission_names(territory: Any, name: str) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    daughter = await territory.item(patient, "RelatedPerson")
    weight = await territory.create(gp.caller, territory.item_of(patient, **territory.vital()))
    closed = await territory.create(gp.caller, territory.item_of(patient, **territory.vital(), **label(name)))
    permit = {"type": "permit", "actor": [territory.actor(daughter)],
              "securityLabel": territory.classes("VITAL", "CLIN", name)}  # fmt: skip
    assert (
        await territory.ask(gp.caller, "POST", "Consent", territory.consent(patient, provision=permit))
    ).status == 422
    await territory.create(territory.system, territory.consent(patient, provision=permit))

    caller = await territory.as_oneself(daughter, "caregiver", patient.reference)

    assert await territory.sees(caller, weight)
    assert not await territory.sees(caller, closed)
