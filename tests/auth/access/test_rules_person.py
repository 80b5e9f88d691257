"""The rules for the person, who represents them, and those close to them, as they are met."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, related_person
from liaison.fhir.store.contract import Key

from .pieces import HIV, Tree, label

# ---- 21, 22, 23: the person and those close -------------------------------------------------------------------------


async def test_the_person_reads_their_record_but_not_what_third_parties_said(territory: Any) -> None:
    gp = await territory.person("gp")
    patient, other = await territory.patient(gp), await territory.patient(gp)
    me = await territory.as_oneself(patient.reference)
    hiv = await territory.item(patient, "Condition", code=HIV)
    said = await territory.create(gp.caller, territory.item_of(patient, "Communication", **label("NOTE3P")))
    held = await territory.create(gp.caller, territory.item_of(patient, **label("HELD")))

    assert await territory.sees(me, patient.reference)
    assert await territory.sees(me, hiv)
    assert not await territory.sees(me, said)
    assert not await territory.sees(me, held)
    assert not await territory.sees(me, other.reference)
    assert await territory.search(me, "Patient") == [patient.reference]
    await territory.refused(me, "POST", "Condition", territory.item_of(patient, "Condition"))


def representation(measure: str, seen_by: str, seen_on: str = "2026-01-05") -> Tree:
    inner = [{"url": "measure", "valueCode": measure}, {"url": "seenOn", "valueDate": seen_on}]
    if seen_by:
        inner.append({"url": "seenBy", "valueReference": {"reference": seen_by}})  # type: ignore[dict-item]  # FHIR
    return {"extension": [{"url": vocabulary.REPRESENTATION, "extension": inner}]}


@pytest.mark.parametrize(
    ("measure", "seen", "period", "sees"),
    [
        ("tutelle", True, {}, True),
        ("parental-authority", True, {"end": "2032-03-08"}, True),
        ("tutelle", False, {}, False),
        ("curatelle", True, {}, False),
        ("tutelle", True, {"end": "2026-01-01"}, False),
    ],
)
async def test_a_representative_sees_when_the_judgment_was_seen_and_stands(
    territory: Any, measure: str, seen: bool, period: Tree, sees: bool
) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp, **({"birthDate": "2014-03-09"} if measure == "parental-authority" else {}))
    stated = representation(measure, gp.role if seen else "")
    guardian = await territory.create(
        gp.caller, territory.item_of(patient, "RelatedPerson", **({"period": period} if period else {}), **stated)
    )
    problem = await territory.item(patient, "Condition")
    secret = await territory.item(patient, "Condition", **label("MINOR"))
    caller = await territory.as_oneself(guardian, "guardian")

    assert await territory.sees(caller, problem) is sees
    assert not await territory.sees(caller, secret)


async def test_a_relative_in_the_team_sees_nothing_without_a_consent(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    relative = await territory.create(gp.caller, territory.item_of(patient, "RelatedPerson"))
    await territory.create(territory.system, territory.team(patient, [gp, relative]))
    caller = await territory.as_oneself(relative, "caregiver")
    visible = {"meta": {"security": [{"system": vocabulary.VISIBILITY, "code": "proches"}]}}
    note = await territory.create(gp.caller, territory.item_of(patient, "Communication", **visible))
    assert not await territory.sees(caller, note)

    provision = {"type": "permit", "actor": [territory.actor(relative)]}
    await territory.create(gp.caller, territory.consent(patient, provision=provision))

    assert await territory.sees(caller, note)
    assert not await territory.sees(caller, await territory.item(patient, "Condition"))


async def test_a_consent_without_a_class_opens_to_a_relative_the_notebook_and_the_visits_alone(territory: Any) -> None:
    """Row 23: « rien d'autre sans son accord », and an accord that names nothing is none. Its sibling names them."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    relative = await territory.create(gp.caller, territory.item_of(patient, "RelatedPerson"))
    caller = await territory.as_oneself(relative, "caregiver")
    measure, visit = await territory.item(patient, **territory.vital()), await territory.item(patient, "Appointment")
    safety = await territory.item(patient, "Flag", **label("SAFETY"))
    more = [measure, safety, patient.reference]
    unnamed = {"type": "permit", "actor": [territory.actor(relative)]}
    await territory.create(gp.caller, territory.consent(patient, provision=unnamed))
    assert await territory.sees(caller, visit)
    assert [await territory.sees(caller, one) for one in more] == [False, False, False]

    named = {**unnamed, "securityLabel": territory.classes("ADM_ONLY", "VITAL", "SAFETY")}
    await territory.create(gp.caller, territory.consent(patient, provision=named))
    assert [await territory.sees(caller, one) for one in more] == [True, True, True]


@pytest.mark.parametrize(
    ("measure", "seen_on", "sees"),
    [
        ("tutelle", "2006-12-05", True),
        ("tutelle", "2006-11-05", False),
        ("habilitation", "2006-11-05", False),
        ("parental-authority", "2008-12-05", True),
        ("parental-authority", "2008-11-05", False),
        ("tutelle", "9999-12-31", False),
        ("tutelle", "0001-01-01", False),
    ],
    ids=str,
)
def test_what_was_seen_longer_ago_than_the_law_lets_it_last_represents_nobody(
    measure: str, seen_on: str, sees: bool
) -> None:
    """Civil Code 441, 442, 494-6: without an end stated, or with one far away."""
    now = datetime(2026, 11, 30, tzinfo=UTC)
    for period in ({}, {"period": {"end": "9998-01-01"}}):
        tree = representation(measure, "Practitioner/p", seen_on) | period
        found = related_person.facts(Reading(tree, Key(1, 2, 3), lambda *_: Key(0, 1, 9), Class.FILE))
        assert any(fact.during.start <= now < fact.during.end for fact in found) is sees
