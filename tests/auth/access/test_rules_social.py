"""The rules for home care, social workers, coordinators, auditors and reports of abuse, as they are met."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.filter import Filter

from .pieces import Tree, label, moment

ALERT: Tree = {
    "code": {"coding": [{"system": "https://liaison.example/fhir/CodeSystem/alert-level", "code": "ORANGE"}]}
}
NOTE: Tree = {
    "type": {
        "coding": [
            {
                "system": "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote",
                "code": "SUIVI",
            }
        ]
    }
}
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
HOME_CARE = "https://liaison.example/fhir/CodeSystem/home-care"

# ---- 14, 15, 16: home care ----------------------------------------------------------------------------------------


async def test_an_aide_reads_the_minimum_and_writes_visits(territory: Any) -> None:
    town = await territory.organization("CCAS")
    service = await territory.organization("Aide à domicile", part_of=town)
    gp, aide, aide2, manager = [
        await territory.person(code, service if code != "gp" else "")
        for code in ("gp", "home-aide", "home-aide", "home-service-manager")
    ]
    patient = await territory.patient(gp, aide, service)
    by = {"performer": [{"reference": aide.role}]}
    form = "https://liaison.example/fhir/Questionnaire/home-visit|1.0.0"
    written = {
        "visit": await territory.create(
            aide.caller,
            territory.item_of(patient, "QuestionnaireResponse", questionnaire=form, author={"reference": aide.role}),
        ),
        "weight": await territory.create(aide.caller, territory.item_of(patient, **territory.vital(), **by)),
        "alert": await territory.create(
            aide.caller, territory.item_of(patient, "Task", requester={"reference": aide.role}, **ALERT)
        ),
    }
    safety = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/flag-category", "code": "safety"}]}]
    shown = {
        "patient": patient.reference,
        "safety": await territory.create(gp.caller, territory.item_of(patient, "Flag", category=safety)),
        "plan": await territory.item(patient, "CarePlan", **label("HOMEPLAN")),
        "instruction": await territory.create(
            gp.caller, territory.item_of(patient, "Communication", recipient=[{"reference": service}])
        ),
    }
    hidden = {
        "problem": await territory.item(patient, "Condition"),
        "note": await territory.create(gp.caller, territory.item_of(patient, "Communication")),
        "weight of the doctor": await territory.create(gp.caller, territory.item_of(patient, **territory.vital())),
        "social": await territory.item(patient, "QuestionnaireResponse", **label("SOC")),
        "coverage": await territory.item(patient, "Coverage"),
        "team": patient.made["team"],
    }
    for name, item in {**written, **shown}.items():
        assert await territory.sees(aide.caller, item), name
        assert await territory.sees(gp.caller, item), name
    for name, item in hidden.items():
        assert not await territory.sees(aide.caller, item), name
    for name, item in {**written, **shown, **hidden}.items():
        assert not await territory.sees(aide2.caller, item), name
        clinical = name in ("problem", "weight of the doctor")
        assert await territory.sees(manager.caller, item) is not clinical, name


async def test_an_aide_writes_nothing_else(territory: Any) -> None:
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient = await territory.patient(gp, aide)
    of_the_doctor = {"performer": [{"reference": gp.role}]}
    for tree in (
        territory.item_of(patient, "Condition"),
        territory.item_of(patient, **territory.vital(), **of_the_doctor),
        territory.item_of(patient, "Appointment"),
        territory.item_of(patient, "RelatedPerson"),
        territory.item_of(patient, "Encounter"),
        territory.team(patient, [aide, gp]),
    ):
        await territory.refused(aide.caller, "POST", tree["resourceType"], tree)


def visit_to(territory: Any, patient: Any, place: str) -> Tree:
    """What is coordination by its type; `place` is its class."""
    kind = [{"coding": [{"system": HOME_CARE, "code": "visit"}]}]
    return dict(territory.item_of(patient, "Encounter", type=kind, **{"class": {"system": ACT_CODE, "code": place}}))


async def test_an_aide_writes_her_own_visit_and_no_plan(territory: Any) -> None:
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient = await territory.patient(gp, aide)
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"},
            "subject": {"reference": patient.reference}}  # fmt: skip
    told = {"code": {"coding": [{"code": "suspected-abuse"}]}}
    for tree in (
        visit_to(territory, patient, "HH"),
        territory.item_of(patient, **label("COORD")),
        territory.item_of(patient, "Communication"),
        territory.item_of(patient, "DocumentReference", **NOTE),
        territory.item_of(patient, "Task", **told),
        territory.item_of(patient, "Task", **ALERT),
    ):
        await territory.create(aide.caller, tree)
    permit = territory.consent(patient, provision={"type": "permit", "actor": [territory.actor(gp.role)]})
    for tree in (
        visit_to(territory, patient, "AMB"),
        territory.item_of(patient, "CarePlan"),
        territory.item_of(patient, "CarePlan", **label("HOMEPLAN")),
        goal,
        territory.item_of(patient, "Task"),
        territory.item_of(patient, "Flag"),
        territory.item_of(patient, "DocumentReference", **label("COORD")),
        territory.item_of(patient, "ServiceRequest", **label("COORD")),
        territory.team(patient, [gp]),
        permit,
    ):
        assert (await territory.refused(aide.caller, "POST", tree["resourceType"], tree)).status == 403, tree
    alert = await territory.create(aide.caller, territory.item_of(patient, "Task", **ALERT))
    assert (await territory.change(aide.caller, alert, code={"text": "plan"})).status == 403

    elsewhere = await territory.patient(gp)
    plans = [
        territory.item_of(one, "CarePlan") for one in (elsewhere, SimpleNamespace(reference=f"Patient/{'0' * 32}"))
    ]
    hidden, absent = [await territory.ask(aide.caller, "POST", "CarePlan", plan) for plan in plans]
    assert hidden.status == absent.status
    assert hidden.body.replace(elsewhere.id.encode(), b"0" * 32) == absent.body
    await territory.create(aide.caller, territory.consent(patient, "opposition", {"type": "deny"}, status="proposed"))


async def test_an_aide_says_who_made_her_own_entries_and_nobody_elses(territory: Any) -> None:
    gp, aide, other = [await territory.person(code) for code in ("gp", "home-aide", "home-aide")]
    patient = await territory.patient(gp, aide, other)
    sender = [{"sender": {"reference": one.role}} for one in (aide, other)]
    mine, theirs = [
        await territory.create(who.caller, territory.item_of(patient, "Communication", **by))
        for who, by in zip((aide, other), sender, strict=True)
    ]
    problem = await territory.item(patient, "Condition")

    def made(target: str, who: str) -> Tree:
        agent = [{"who": {"reference": who}}]
        return {"resourceType": "Provenance", "target": [{"reference": target}], "recorded": moment(), "agent": agent}

    await territory.create(aide.caller, made(mine, aide.role))
    for tree in (
        made(mine, gp.role),
        made(theirs, aide.role),
        made(problem, aide.role),
        made(patient.reference, aide.role),
    ):
        assert (await territory.refused(aide.caller, "POST", "Provenance", tree)).status in (403, 422), tree


async def test_a_home_service_manager_writes_the_home_help_plan_and_no_clinical_one(territory: Any) -> None:
    service = await territory.organization("Aide à domicile")
    manager = await territory.person("home-service-manager", service)
    patient = await territory.patient(service)
    category = [{"coding": [{"system": f"{HOME_CARE[:-9]}care-plan-category", "code": "home-help"}]}]
    protocol = {"instantiatesCanonical": ["https://liaison.example/fhir/PlanDefinition/bpco|1.0.0"]}
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "x"},
            "subject": {"reference": patient.reference}}  # fmt: skip

    await territory.create(manager.caller, territory.item_of(patient, "CarePlan", category=category))
    await territory.create(manager.caller, territory.item_of(patient, "Task"))
    for tree in (territory.item_of(patient, "CarePlan", **protocol), territory.item_of(patient, "CarePlan"), goal):
        assert (await territory.refused(manager.caller, "POST", tree["resourceType"], tree)).status == 403


async def test_an_aide_corrects_a_visit_within_a_day_and_deletes_nothing(territory: Any) -> None:
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient = await territory.patient(gp, aide)
    visit = await territory.create(aide.caller, territory.item_of(patient, **territory.vital()))

    assert (await territory.change(aide.caller, visit, status="amended")).status == 200
    assert (await territory.ask(aide.caller, "DELETE", visit)).status == 403


@pytest.mark.parametrize("way", ["update", "patch"])
@pytest.mark.parametrize("type_", ["Observation", "QuestionnaireResponse", "Communication"])
async def test_after_a_day_an_aide_corrects_nothing_of_what_she_wrote(territory: Any, type_: str, way: str) -> None:
    """By the base's clock, whatever the page offers (row 15); what a health professional wrote stays theirs to correct."""
    gp, aide, nurse = [await territory.person(code) for code in ("gp", "home-aide", "nurse")]
    patient = await territory.patient(gp, aide, nurse)
    shape = territory.item_of(patient, type_, **label("COORD"))
    young, old = [await territory.create(aide.caller, shape) for _ in "ab"]
    other = await territory.create(nurse.caller, shape)
    for one in (old, other):
        await territory.database.writing.execute(
            "update version set at = at - interval '25 hours' where res = $1", territory.key(one).res
        )

    async def corrected(who: Any, one: str) -> Any:
        if way == "update":
            return await territory.change(who.caller, one, language="fr")
        operations = [{"op": "add", "path": "/language", "value": "fr"}]
        return await territory.ask(who.caller, "PATCH", one, operations, content_type="application/json-patch+json")

    answer = await corrected(aide, old)
    assert answer.status == 403
    assert "24 hours" in json.loads(answer.body)["issue"][0]["diagnostics"]
    assert (await corrected(aide, young)).status == 200
    assert (await corrected(nurse, other)).status == 200


async def test_a_tour_line_opens_from_the_evening_before_to_a_day_after(territory: Any) -> None:
    service = await territory.organization("Aide à domicile")
    aide = await territory.person("home-aide", service)
    manager = await territory.person("home-service-manager", service)
    patient = await territory.patient(service)
    assert not await territory.sees(aide.caller, patient.reference)

    def visit(start: str, end: str) -> Tree:
        people = [{"actor": {"reference": patient.reference}, "status": "accepted"},
                  {"actor": {"reference": aide.role}, "status": "accepted"}]  # fmt: skip
        return dict(territory.item_of(patient, "Appointment", participant=people, start=start, end=end))

    later = visit(moment(days=-10), moment(days=-10, hours=-1))
    await territory.create(manager.caller, later)
    assert not await territory.sees(aide.caller, patient.reference)

    line = await territory.create(manager.caller, visit(moment(hours=20), moment(hours=19)))
    assert await territory.sees(aide.caller, patient.reference)

    # While the person is in hospital it pauses, and stays hers: she hears of it, and can say that they are home again.
    why = {"coding": [{"system": vocabulary.ALERT_CLOSING, "code": "hospitalised"}]}
    assert (await territory.change(manager.caller, line, status="cancelled", cancelationReason=why)).status == 200
    assert await territory.sees(aide.caller, patient.reference)

    off = {"text": "Hospitalisation"}
    assert (await territory.change(manager.caller, line, status="cancelled", cancelationReason=off)).status == 200
    assert not await territory.sees(aide.caller, patient.reference)


async def test_a_tour_line_of_a_structure_outside_the_team_opens_nothing(territory: Any) -> None:
    service = await territory.organization("Aide à domicile")
    aide, gp = await territory.person("home-aide", service), await territory.person("gp")
    patient = await territory.patient(gp)
    people = [{"actor": {"reference": patient.reference}, "status": "accepted"},
              {"actor": {"reference": aide.role}, "status": "accepted"}]  # fmt: skip
    line = territory.item_of(patient, "Appointment", participant=people, start=moment(hours=2), end=moment(hours=1))
    await territory.create(gp.caller, line)

    assert not await territory.sees(aide.caller, patient.reference)


# ---- 17, 18, 1: social workers, coordinators ------------------------------------------------------------------------


async def test_a_coordinator_reads_coordination_and_syntheses(territory: Any) -> None:
    coordinator, worker, administrative = [
        await territory.person(code) for code in ("coordinator", "social-worker", "coordinator-admin")
    ]
    patient = await territory.patient(coordinator, worker, administrative)
    synthesis = {"type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}}
    items = {
        "patient": patient.reference,
        "plan": await territory.item(patient, "CarePlan"),
        "team": patient.made["team"],
        "social": await territory.item(patient, "QuestionnaireResponse", **label("SOC")),
        "synthesis": await territory.item(patient, "DocumentReference", **synthesis),
        "marked": await territory.item(patient, "DocumentReference", **label("CLINSOC")),
        "problem": await territory.item(patient, "Condition"),
        "weight": await territory.item(patient, **territory.vital()),
    }
    common = {"patient", "plan", "team", "social"}
    for person, wanted in (
        (coordinator, {*common, "synthesis"}),
        (worker, {*common, "marked"}),
        (administrative, set()),
    ):
        assert {name for name, item in items.items() if await territory.sees(person.caller, item)} == wanted


# ---- 24, 26b -------------------------------------------------------------------------------------------------------


async def test_an_auditor_reads_consents_and_never_content(territory: Any) -> None:
    auditor = await territory.mandated()
    patient = await territory.patient(await territory.person("gp"))
    later = await territory.patient()

    assert await territory.sees(auditor.caller, patient.made["information"])
    assert await territory.sees(auditor.caller, later.made["information"])
    assert not await territory.sees(auditor.caller, patient.reference)
    assert not await territory.sees(auditor.caller, patient.made["team"])


async def test_an_auditor_named_later_sees_the_consents_of_everyone(territory: Any) -> None:
    patient = await territory.patient()
    auditor = await territory.mandated()
    assert await territory.sees(auditor.caller, patient.made["information"])


async def test_a_report_of_abuse_is_for_its_author_and_whom_they_name(territory: Any) -> None:
    gp, nurse, aide, manager = [
        await territory.person(code) for code in ("gp", "nurse", "home-aide", "home-service-manager")
    ]
    patient = await territory.patient(gp, nurse, aide, manager)
    report = territory.item_of(
        patient,
        "Communication",
        sender={"reference": aide.role},
        recipient=[{"reference": nurse.role}],
        **label("PROT"),
    )
    told = await territory.create(aide.caller, report)

    assert await territory.sees(aide.caller, told)
    assert await territory.sees(nurse.caller, told)
    for person in (gp, manager):
        assert not await territory.sees(person.caller, told)
    assert not await territory.sees(await territory.as_oneself(patient.reference), told)


NAMED = ["MAHO-PLANTED", "PLANTED-PDF", "Odette planted"]
KNOWN_AS = {"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "260058815400233"}
KNOWN_BY = [f"{name}:identifier={KNOWN_AS['system']}|{KNOWN_AS['value']}" for name in ("patient", "actor")]
"""What an identifier in a reference would find, of the person and of somebody close to them."""


async def named_consent(territory: Any) -> tuple[Any, str]:
    """Of a person whose name stands wherever a Consent can hold it."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    relative = await territory.item(patient, "RelatedPerson")
    scan = {
        "contentType": "application/pdf",
        "data": base64.b64encode(b"%PDF-1.7 PLANTED-PDF").decode(),
        "title": NAMED[1],
    }
    actor = territory.actor(relative)
    actor["reference"]["display"] = f"Fils de {NAMED[0]}"
    tree = territory.consent(patient, provision={"type": "permit", "actor": [actor]}, sourceAttachment=scan)
    tree["patient"] = {**tree["patient"], "display": NAMED[0], "identifier": KNOWN_AS}
    actor["reference"]["identifier"] = KNOWN_AS
    tree["performer"] = [
        {"reference": patient.reference, "display": NAMED[0]},
        {"reference": gp.role, "display": "Dr G"},
    ]
    tree["text"] = {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{NAMED[2]}</div>'}
    return patient, await territory.create(gp.caller, tree)


@pytest.mark.parametrize("code", ["auditor", "dpo"])
async def test_an_officer_reads_what_a_consent_says_and_no_name(territory: Any, code: str) -> None:
    """Row 24: « Consent metadata », and names pseudonymised."""
    officer, (patient, consent) = await territory.mandated(code), await named_consent(territory)
    paths = [consent, f"{consent}/_history", f"{consent}/_history/1", f"Consent?patient={patient.reference}", "_history",
             f"Consent?_id={consent.split('/')[1]}&_elements=performer,source,patient", "Consent/_history"]  # fmt: skip

    bodies = [(await territory.ask(officer.caller, "GET", path)).body.decode() for path in paths]

    assert all(patient.reference in body and "Dr G" in body for body in bodies)
    assert not [name for name in NAMED for body in bodies if name in body]
    shown = json.loads(bodies[0])
    assert (shown["provision"]["type"], shown["meta"]["tag"][0]["code"]) == ("permit", "SUBSETTED")
    # A part has no validator: what is left out goes by the table, not by the version (RFC 9110 §8.8).
    assert "etag" not in dict((await territory.ask(officer.caller, "GET", consent)).headers)
    for word in ("MAHO-PLANTED", "planted"):
        assert not await territory.search(officer.caller, f"Consent?_content={word}")
    for asked in KNOWN_BY:
        assert not await territory.search(officer.caller, f"Consent?{asked}")
        counted = await territory.ask(officer.caller, "GET", f"Consent?{asked}&_summary=count")
        assert json.loads(counted.body)["total"] == 0
    for criterion in ("", "&status=active", "&_sort=-date&_total=accurate"):
        asked = f"Consent?patient={patient.reference}{criterion}"
        assert consent in await territory.search(officer.caller, asked)


async def test_an_officer_would_read_names(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: with the consents whole, each of them stands in it."""
    monkeypatch.setattr(Filter, "abridged", lambda self, caller: ())
    officer, (_, consent) = await territory.mandated("dpo"), await named_consent(territory)
    body = (await territory.ask(officer.caller, "GET", consent)).body.decode()
    assert all(name in body for name in NAMED)
    for asked in ("_content=MAHO-PLANTED", *KNOWN_BY):
        assert consent in await territory.search(officer.caller, f"Consent?{asked}")
