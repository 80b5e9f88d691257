"""The territory is deterministic, valid R4, closed under its references, and holds what the sandbox promises."""

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any

import orjson
import pytest

from liaison.fhir.definitions.profiles import CARE_CIRCLE
from liaison.fhir.errors import FhirError
from liaison.fhir.model import check_digits, read, validate
from liaison.protocols.alerts import Standing, level_of, standing
from liaison.protocols.calendar import State, entry
from liaison.protocols.forms import READY, wanted
from liaison.services.pages.reading import measures
from liaison.services.sandbox.territory import Patient, Territory, build, systems
from liaison.services.sandbox.territory.clock import PARIS, Clock

from ..people import KEYS

Tree = dict[str, Any]
CLOCK = Clock(datetime(2026, 11, 23, 10, 7, tzinfo=PARIS))


@pytest.fixture(scope="module")
def territory() -> Territory:
    return build(CLOCK)


@pytest.fixture(scope="module")
def patients(territory: Territory) -> dict[str, Patient]:
    return {patient.key: patient for patient in territory.patients()}


def _resources(patient: Patient, type_: str) -> list[Tree]:
    trees = [entry["resource"] for entry in patient.bundle["entry"]]
    return [tree for tree in trees if tree["resourceType"] == type_]


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("reference"), str):
            yield node["reference"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _bundles(territory: Territory, patients: dict[str, Patient]) -> list[Tree]:
    return [territory.directory.bundle(), *(patient.bundle for patient in patients.values())]


def test_the_same_moment_gives_the_same_bytes(territory: Territory, patients: dict[str, Patient]) -> None:
    again = build(CLOCK)

    assert orjson.dumps(again.directory.bundle()) == orjson.dumps(territory.directory.bundle())
    assert [orjson.dumps(patient.bundle) for patient in again.patients()] == [
        orjson.dumps(patient.bundle) for patient in patients.values()
    ]


def test_another_day_moves_the_dates_and_keeps_the_people(territory: Territory) -> None:
    later = build(Clock.of(date(2027, 3, 1)))

    assert [person.name for person in later.people] == [person.name for person in territory.people]
    assert [one.name for one in islice(later.patients(), 20)] == [one.name for one in islice(territory.patients(), 20)]


def test_every_resource_is_valid_r4(territory: Territory, patients: dict[str, Patient]) -> None:
    problems = []
    bundles = _bundles(territory, patients)
    # References become literal, so that their targets are checked too.
    types = {given["fullUrl"]: given["resource"]["resourceType"] for bundle in bundles for given in bundle["entry"]}
    for bundle in bundles:
        for given in bundle["entry"]:
            body = orjson.dumps(given["resource"]).decode()
            literal = re.sub(r"urn:uuid:([0-9a-f-]+)", lambda urn: f"{types[urn[0]]}/{urn[1]}", body)
            try:
                validate(read(literal.encode()))
            except FhirError as error:
                problems += [(issue.expression, issue.diagnostics) for issue in error.issues]

    assert not problems, problems


def test_each_person_has_one_circle_of_care_that_claims_to_be_one(patients: dict[str, Patient]) -> None:
    for patient in patients.values():
        claimed = [
            one for one in _resources(patient, "CareTeam") if CARE_CIRCLE.url in one.get("meta", {}).get("profile", ())
        ]
        assert [one.get("category") for one in claimed] == [None], patient.key


def test_whatever_was_measured_has_a_name(patients: dict[str, Patient]) -> None:
    unnamed = [
        (patient.key, part["code"])
        for patient in patients.values()
        for one in _resources(patient, "Observation")
        for part in (one, *one.get("component", []))
        if measures.name(part) == measures.UNNAMED
    ]

    assert unnamed == []


def test_a_fault_in_a_resource_would_be_seen(patients: dict[str, Patient]) -> None:
    tree = {**_resources(patients["bpco_04"], "Observation")[0], "status": "fini"}

    with pytest.raises(FhirError):
        validate(read(orjson.dumps(tree)))


def test_every_reference_leads_into_the_same_bundle_or_the_directory(
    territory: Territory, patients: dict[str, Patient]
) -> None:
    known = set(territory.directory.entries)
    for bundle in _bundles(territory, patients):
        own = {given["fullUrl"] for given in bundle["entry"]}
        assert set(_references(bundle)) <= own | known


def test_there_are_sixty_patients_with_distinct_right_test_matricules(patients: dict[str, Patient]) -> None:
    matricules = [
        (identifier["system"], identifier["value"])
        for patient in patients.values()
        for identifier in _resources(patient, "Patient")[0].get("identifier", [])
    ]

    assert len(patients) == 60
    assert len(set(matricules)) == len(matricules) > 50
    assert {system for system, _ in matricules} == {systems.INS_TEST}
    assert all(check_digits.nir_key(value[:13]) == value[13:] for _, value in matricules)


def test_only_a_qualified_identity_carries_its_matricule(patients: dict[str, Patient]) -> None:
    for patient in patients.values():
        (tree,) = _resources(patient, "Patient")
        status = tree["extension"][0]["extension"][1]["valueCoding"]["code"]
        assert ("identifier" in tree) == (status == "QUAL")


def test_everyone_who_was_promised_can_sign_in(territory: Territory) -> None:
    assert set(KEYS) <= {person.key for person in territory.people}


def test_professionals_have_test_numbers_with_right_keys(territory: Territory) -> None:
    numbers = [
        identifier["value"]
        for tree in territory.directory.resources("Practitioner")
        for identifier in tree["identifier"]
        if identifier["system"] == systems.RPPS
    ]

    assert len(set(numbers)) == len(numbers) > 10
    assert all(number.startswith("997") and check_digits.luhn_ok(number) for number in numbers)


def test_one_alert_is_twenty_minutes_old_and_nobody_has_seen_it(patients: dict[str, Patient]) -> None:
    waiting = [
        (patient.key, task)
        for patient in patients.values()
        for task in _resources(patient, "Task")
        if level_of(task) and standing(task, CLOCK.now) in (Standing.WAITING, Standing.OVERDUE)
    ]

    assert [(key, level_of(task), _age(task)) for key, task in waiting] == [
        ("bpco_04", "ORANGE", timedelta(minutes=20))
    ]


def _age(task: Tree) -> timedelta:
    return CLOCK.now - datetime.fromisoformat(task["authoredOn"])


def test_one_person_is_in_hospital_and_the_hospital_doctor_is_in_no_team(
    territory: Territory, patients: dict[str, Patient]
) -> None:
    doctor = territory.directory["hospital_doctor"]
    open_stays = [
        patient.key
        for patient in patients.values()
        for tree in _resources(patient, "Encounter")
        if tree["status"] == "in-progress"
    ]
    named = {
        (patient.key, tree["resourceType"])
        for patient in patients.values()
        for tree in (given["resource"] for given in patient.bundle["entry"])
        if doctor in set(_references(tree))
    }

    assert open_stays == ["bpco_05"]
    assert {key for key, _ in named} == {"bpco_05"}
    assert "CareTeam" not in {type_ for _, type_ in named}


def test_an_education_step_is_late(patients: dict[str, Patient]) -> None:
    late = [
        found.title
        for found in (entry(task, CLOCK.today) for task in _resources(patients["bpco_03"], "Task"))
        if found.state is State.LATE
    ]

    assert late == ["Atelier 2 : reconnaître une exacerbation, mon plan d'action"]


def test_the_twelve_people_with_bpco_stand_at_different_stages(patients: dict[str, Patient]) -> None:
    stages = {
        key: patient.special for key, patient in patients.items() if key.startswith("bpco_") or key == "patient_a"
    }

    assert len(set(stages.values())) == 12
    for key in stages:
        plans = [
            plan["instantiatesCanonical"][0] for plan in _resources(patients[key], "CarePlan") if "category" not in plan
        ]
        assert "https://liaison.example/fhir/PlanDefinition/bpco|1.1.0" in plans


def test_a_late_step_is_rare_enough_to_be_looked_at(patients: dict[str, Patient]) -> None:
    late = {
        key
        for key, patient in patients.items()
        for task in _resources(patient, "Task")
        if "instantiatesCanonical" in task and not level_of(task) and entry(task, CLOCK.today).state is State.LATE
    }

    assert late == {"bpco_03", "bpco_09"}


def test_one_person_opposes_a_nurse_who_is_on_their_team(territory: Territory, patients: dict[str, Patient]) -> None:
    denials = [
        tree for tree in _resources(patients["opposed_nurse"], "Consent") if tree["provision"].get("type") == "deny"
    ]
    (team,) = _resources(patients["opposed_nurse"], "CareTeam")

    assert [actor["reference"]["reference"] for actor in denials[0]["provision"]["actor"]] == [
        territory.directory["person/nurse"]
    ]
    assert territory.directory["nurse"] in set(_references(team))


def test_substitutions_are_dated_and_name_who_is_replaced(territory: Territory) -> None:
    active = territory.directory.tree("substitute_active")
    expired = territory.directory.tree("substitute_expired")

    assert active["period"]["start"] <= "2026-11-23" <= active["period"]["end"]
    assert expired["period"]["end"] < "2026-11-23"
    assert territory.directory["gp_replaced"] in set(_references(active["extension"]))


@pytest.mark.parametrize("day", [f"2026-11-{day}" for day in range(23, 30)])
def test_each_aide_has_a_tour_that_day_and_the_week_after(
    territory: Territory, patients: dict[str, Patient], day: str
) -> None:
    visited = {
        aide: {
            patient.key
            for patient in patients.values()
            for tree in _resources(patient, "Appointment")
            if tree["start"].startswith(day) and territory.directory[aide] in set(_references(tree))
        }
        for aide in ("aide", "aide2")
    }

    assert visited["aide"] >= {"bpco_03", "bpco_04", "bpco_06", "heart"}
    assert visited["aide2"] >= {"bpco_07", "guarded"}


def test_each_of_the_three_forms_of_a_visit_is_asked_of_somebody(patients: dict[str, Patient]) -> None:
    asked = {
        wanted(line, _resources(patient, "CarePlan"))
        for patient in patients.values()
        for line in _resources(patient, "Appointment")
        if line["status"] == "booked"
    }

    assert asked == set(READY.values())


def test_nothing_happens_after_now_but_what_is_planned(patients: dict[str, Patient]) -> None:
    planned = {"Task", "Appointment", "CarePlan", "Goal", "CareTeam", "Flag", "RelatedPerson", "Consent"}
    for patient in patients.values():
        for given in patient.bundle["entry"]:
            tree = given["resource"]
            for name in ("effectiveDateTime", "date", "sent", "authored", "recordedDate", "occurrenceDateTime"):
                text = tree.get(name) if tree["resourceType"] not in planned else None
                if text and "T" in text:
                    assert datetime.fromisoformat(text) <= CLOCK.now, (patient.key, tree["resourceType"], name)


def test_a_large_territory_keeps_the_special_patients_first(territory: Territory) -> None:
    large = build(CLOCK, "large")

    assert len(large.stories) == 1200
    assert [story.key for story in large.stories[:27]] == [story.key for story in territory.stories[:27]]
