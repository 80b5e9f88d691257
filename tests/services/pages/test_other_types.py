"""Encounters, acts, reports, documents, messages, appointments, goals, plans, teams: what changes their meaning is told."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.services.pages.clinician.teams import members
from liaison.services.pages.clinician.wishes import state
from liaison.services.pages.reading import activities
from liaison.services.pages.reading.appointments import asked
from liaison.services.pages.reading.sentences import sentence

Tree = dict[str, Any]
NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
HL7 = "http://terminology.hl7.org/CodeSystem"


def of(type_: str, **more: Any) -> Tree:
    return {"resourceType": type_, "id": "x", **more}


def coded(system: str, code: str, **more: str) -> Tree:
    return {"coding": [{"system": f"{HL7}/{system}", "code": code, **more}]}


def encounter(**more: Any) -> Tree:
    return of("Encounter", status="finished", **{"class": {"code": "IMP"}}, **more)


def leaving(code: str) -> Tree:
    return {"hospitalization": {"dischargeDisposition": coded("discharge-disposition", code)}}


def goal(**more: Any) -> Tree:
    return of("Goal", description={"text": "Marcher"}, **more)


def achieved(code: str, **more: str) -> Tree:
    return {"achievementStatus": coded("goal-achievement", code, **more)}


def appointment(status: str = "booked", **more: Any) -> Tree:
    return of("Appointment", status=status, description="Kiné", **more)


def coming(status: str, **actor: str) -> Tree:
    return {"participant": [{"actor": actor, "status": status}]}


def document(**more: Any) -> Tree:
    text = {"attachment": {"contentType": "text/plain", "data": b64encode(b"Bien").decode()}}
    return of("DocumentReference", status="current", content=[text], **more)


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        (encounter(reasonCode=[{"text": "Chute"}, {"text": "Fièvre"}]), "Hospitalisation, Chute, Fièvre"),
        (encounter(reasonCode=[{"text": "Toux"}], diagnosis=[{"condition": {"display": "Pneumopathie"}}]),
            "Hospitalisation, Toux, Pneumopathie"),
        (encounter(**leaving("aadvice")), "Hospitalisation, sortie contre avis médical"),
        (encounter(**leaving("exp")), "Hospitalisation, décès"),
        (encounter(hospitalization={"dischargeDisposition": {"text": "chez sa fille"}}), "Hospitalisation, chez sa fille"),
        (encounter(period={"start": "2026-03-01", "end": "2026-03-09"}), "Hospitalisation, fin : 09/03/2026"),
        (encounter(period={"start": "2026-03-01T08:00:00Z", "end": "2026-03-01T09:00:00Z"}), "Hospitalisation"),
        (of("Procedure", status="completed", code={"text": "Prothèse"}, bodySite=[{"text": "hanche droite"}],
            outcome={"text": "échec"}, complication=[{"text": "infection"}]),
            "Prothèse, hanche droite, résultat : échec, complication : infection"),
        (of("Procedure", status="completed", code={"text": "Prothèse"}, performedString="vers 2010"), "Prothèse, vers 2010"),
        (of("DiagnosticReport", status="final", code={"text": "Frottis"}, conclusionCode=[{"text": "normal"}]),
            "Frottis, normal"),
        (document(description="Lettre", relatesTo=[{"code": "appends", "target": {}}]), "Lettre (complète un autre document)"),
        (document(description="Lettre", relatesTo=[{"code": "replaces", "target": {}}]), "Lettre (remplace un autre document)"),
        (of("Communication", status="completed", payload=[{"contentString": "Peser"}, {"contentString": "Rappeler"}]),
            "Peser\nRappeler"),
        (of("Communication", status="completed", payload=[{"contentAttachment": {"title": "photo de la plaie"}}]),
            "photo de la plaie"),
        (of("Communication", status="completed", priority="stat", payload=[{"contentString": "Peser"}]), "Peser (urgent)"),
        (of("Communication", status="completed", priority="routine", payload=[{"contentString": "Peser"}]), "Peser"),
        (appointment("proposed"), "Kiné (proposé)"),
        (appointment("pending"), "Kiné (à confirmer)"),
        (appointment("arrived"), "Kiné"),
        (appointment(**coming("accepted", reference="Patient/p")), "Kiné"),
        (appointment(**coming("declined", reference="Patient/p")), "Kiné, la personne a refusé"),
        (appointment(**coming("declined", reference="Practitioner/p", display="Dr Le Bris")), "Kiné, Dr Le Bris a refusé"),
        (appointment(**coming("tentative", display="Dr Le Bris")), "Kiné, Dr Le Bris : à confirmer"),
        (appointment(patientInstruction="venir à jeun"), "Kiné, venir à jeun"),
        (goal(**achieved("not-achieved")), "Marcher, non atteint"),
        (goal(**achieved("worsening", display="Worsening")), "Marcher, en recul"),
        (goal(achievementStatus={"text": "presque"}), "Marcher, presque"),
        (goal(lifecycleStatus="proposed"), "Marcher (proposé)"),
        (goal(lifecycleStatus="rejected"), "Marcher (refusé)"),
        (goal(lifecycleStatus="accepted"), "Marcher"),
        (goal(target=[{"detailQuantity": {"value": 500, "unit": "m"}, "dueDate": "2027-03"}]), "Marcher, 500 m, échéance : 03/2027"),
        (of("CarePlan", status="active", intent="proposal", title="Plan"), "Plan (proposé)"),
        (of("CarePlan", status="active", intent="plan", title="Plan"), "Plan"),
        (of("CarePlan", status="active", intent="plan", title="Plan", period={"start": "2025", "end": "2026-03-01"}),
            "Plan (2025 – 01/03/2026)"),
        (of("CarePlan", status="active", intent="plan", title="Plan", period={"start": "2025"}), "Plan (début : 2025)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_changes_the_meaning_of_a_line_is_in_it(tree: Tree, told: str) -> None:
    assert sentence(tree) == told


@pytest.mark.parametrize(
    ("tree", "told"),
    [
        (appointment(), "Kiné"),
        (appointment(patientInstruction="Préparer le sac"), "Préparer le sac"),
        (appointment(comment="Peser", **coming("declined", reference="Patient/p")), "Peser, la personne a refusé"),
        (appointment("pending", comment="Peser"), "Peser (à confirmer)"),
        (of("Appointment", status="booked"), "Rendez-vous"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_line_for_who_goes_says_that_a_visit_is_not_sure(tree: Tree, told: str) -> None:
    assert asked(tree) == told


def test_who_takes_part_later_or_in_a_team_that_ended_is_no_member_now() -> None:
    def team(**more: Any) -> Tree:
        return {"participant": [{"member": {"display": "A. Le Bris"}, **more}]}

    later, over = {"start": "2026-12-01"}, {"end": "2026-11-28"}

    assert members(team(), NOW) == [("A. Le Bris", "")]
    assert members(team(period=later), NOW) == []
    assert members(team(period=over), NOW) == []
    assert members({**team(), "period": over}, NOW) == []
    assert members({**team(), "period": later}, NOW) == []


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ({"scheduledString": "le mardi"}, "Marcher, le mardi"),
        ({"scheduledPeriod": {"start": "2026-12-01"}}, "Marcher, début : 01/12/2026"),
        ({"scheduledTiming": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "wk"}}}, "Marcher, 3 fois par semaine"),
        ({"dailyAmount": {"value": 30, "unit": "min"}}, "Marcher, 30 min par jour"),
        ({"productCodeableConcept": {"text": "canne"}}, "Marcher, canne"),
        ({"doNotPerform": True, "scheduledString": "le mardi"}, "Ne pas faire : Marcher, le mardi"),
        ({"status": "cancelled", "statusReason": {"text": "douleur"}}, "Marcher (annulé : douleur)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_a_plan_asks_for_says_when_and_how_much(detail: Tree, told: str) -> None:
    assert activities.told({"activity": [{"detail": {"description": "Marcher", **detail}}]}) == [told]


@pytest.mark.parametrize(
    ("kind", "more", "told"),
    [
        ("sharing", {"status": "active"}, "en vigueur"),
        ("sharing", {"status": "draft"}, "brouillon, sans effet"),
        ("sharing", {"status": "active", "provision": {"period": {"end": "2026-11-28"}}}, "terminé (fin : 28/11/2026)"),
        ("sharing", {"status": "active", "provision": {"period": {"end": "2027"}}}, "en vigueur (fin : 2027)"),
        ("sharing", {"status": "active", "provision": {"period": {"start": "2027"}}}, "pas encore en vigueur (début : 2027)"),
        ("opposition", {"status": "active", "provision": {"period": {"start": "2026"}}}, "en vigueur (début : 2026)"),
        # The engine keeps what is masked until it is withdrawn, whatever its period.
        ("masking", {"status": "active", "provision": {"period": {"end": "2026-11-28"}}}, "en vigueur (fin : 28/11/2026)"),
        ("sharing", {"status": "inactive"}, "levé"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_a_wish_says_from_when_until_when_it_holds(kind: str, more: Tree, told: str) -> None:
    assert state(of("Consent", **more), kind, NOW, str) == told
