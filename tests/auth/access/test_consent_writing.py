"""An opposition is ended by the patient's wish and by nothing else; a permission is the patient's own."""

import json
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose

from .pieces import Tree, moment

DENY: Tree = {"type": "deny"}
LATER = moment(days=-300)


def verified(reference: str, *, at: str = "", **more: Any) -> Tree:
    """Elements of a withdrawal that someone records for the patient."""
    verification = {"verified": True, "verifiedWith": {"reference": reference}, "verificationDate": at or moment()}
    return {"status": "inactive", "verification": [{**verification, **more}]}


async def represented(territory: Any, patient: Any, seen_by: Any) -> str:
    inner = [{"url": "measure", "valueCode": "tutelle"}, {"url": "seenOn", "valueDate": "2026-01-05"},
             {"url": "seenBy", "valueReference": {"reference": seen_by.role}}]  # fmt: skip
    extension = [{"url": vocabulary.REPRESENTATION, "extension": inner}]
    return str(await territory.item(patient, "RelatedPerson", extension=extension))


async def opposed(territory: Any, **provision: Any) -> tuple[Any, Any, Any, str]:
    """A doctor, a nurse whom the patient opposes, the patient and the opposition."""
    practice = await territory.organization("Cabinet")
    gp, nurse = await territory.person("gp"), await territory.person("nurse", practice)
    patient = await territory.patient(gp, nurse)
    whole = {**DENY, "actor": [territory.actor(nurse.practitioner)], **provision}
    return gp, nurse, patient, await territory.create(gp.caller, territory.consent(patient, "opposition", whole))


WEAKER: dict[str, Tree] = {
    "ended": {"status": "inactive"},
    "rejected": {"status": "rejected"},
    "in error": {"status": "entered-in-error"},
    "a draft": {"status": "draft"},
    "a permit": {"provision": {"type": "permit"}},
    "someone else": {"provision": {}},
    "sooner over": {"provision": {"period": {"end": moment(days=-1)}}},
    "later": {"provision": {"period": {"start": moment(days=-1)}}},
    "less": {"provision": {"securityLabel": [{"system": vocabulary.DATA_CLASS, "code": "SOC"}]}},
    "research": {"provision": {"purpose": [{"system": vocabulary.ACT_REASON, "code": "HRESCH"}]}},
    "of another kind": {"category": [{"coding": [{"system": vocabulary.CONSENT, "code": "information"}]}]},
}


@pytest.mark.parametrize("how", WEAKER)
async def test_a_plain_update_does_not_weaken_an_opposition(territory: Any, how: str) -> None:
    gp, nurse, patient, consent = await opposed(territory)
    weaker = dict(WEAKER[how])
    if "provision" in weaker:
        provision = {**(await territory.tree(consent))["provision"], **weaker["provision"]}
        weaker["provision"] = provision
    if how == "someone else":
        other = await territory.person("nurse")
        weaker["provision"]["actor"] = [territory.actor(other.role)]

    answer = await territory.change(gp.caller, consent, **weaker)

    assert answer.status == 403
    assert "verificationDate" in json.loads(answer.body)["issue"][0]["diagnostics"]
    assert not await territory.sees(nurse.caller, patient.reference)


async def test_an_opposition_is_kept_or_widened_by_anyone_who_may_write_it(territory: Any) -> None:
    gp, nurse, patient, consent = await opposed(
        territory, securityLabel=[{"system": vocabulary.DATA_CLASS, "code": "SOC"}]
    )
    wider = {**DENY, "actor": [territory.actor(nurse.practitioner)]}

    assert (await territory.change(gp.caller, consent, language="fr")).status == 200
    assert (await territory.change(gp.caller, consent, provision=wider)).status == 200
    assert not await territory.sees(nurse.caller, patient.reference)


async def test_a_doctor_records_that_the_patient_withdraws_an_opposition(territory: Any) -> None:
    gp, nurse, patient, consent = await opposed(territory)

    assert (await territory.change(gp.caller, consent, **verified(patient.reference))).status == 200

    assert await territory.sees(nurse.caller, patient.reference)


async def test_the_wish_recorded_is_new_certain_and_of_this_patient(territory: Any) -> None:
    gp, nurse, patient, consent = await opposed(territory)
    other = await territory.patient(gp)
    daughter = await territory.item(patient, "RelatedPerson")
    elements: list[Tree] = [
        verified(other.reference),
        verified(daughter),
        verified(patient.reference, at="2026-01-06"),
        verified(patient.reference, at=LATER),
        verified(patient.reference, at="2026"),
        verified(patient.reference, verified=False),
        {**verified(patient.reference), "status": "active", "provision": {"type": "permit"}},
        {**verified(patient.reference), "dateTime": None},
    ]
    for one in elements:
        assert (await territory.change(gp.caller, consent, **one)).status == 403, one
    planted = {**verified(patient.reference), "status": "active"}
    assert (await territory.change(gp.caller, consent, **planted)).status == 200
    assert (await territory.change(gp.caller, consent, status="inactive")).status == 403
    assert not await territory.sees(nurse.caller, patient.reference)


async def test_the_wish_of_a_represented_patient_is_their_representatives(territory: Any) -> None:
    gp, nurse, patient, consent = await opposed(territory)
    guardian = await represented(territory, patient, gp)

    assert (await territory.change(gp.caller, consent, **verified(guardian))).status == 200

    assert await territory.sees(nurse.caller, patient.reference)


@pytest.mark.parametrize("who", ["patient", "guardian"])
async def test_the_patient_and_their_representative_withdraw_it_themselves(territory: Any, who: str) -> None:
    gp, nurse, patient, consent = await opposed(territory)
    reference = patient.reference if who == "patient" else await represented(territory, patient, gp)
    caller = await territory.as_oneself(reference, who, patient.reference)

    assert (await territory.change(caller, consent, status="inactive")).status == 200

    assert await territory.sees(nurse.caller, patient.reference)


async def test_nobody_of_the_opposed_service_withdraws_an_opposition(territory: Any) -> None:
    hospital = await territory.organization("Hôpital")
    unit = await territory.organization("Pneumologie", part_of=hospital)
    gp, inside = await territory.person("gp"), await territory.person("nurse", unit)
    # Acts for another structure here, but belongs to the hospital too.
    also = await territory.person("gp", await territory.organization("Cabinet"))
    await territory.role_of(also.practitioner, "specialist", unit)
    patient = await territory.patient(gp, inside, also)
    emergency = {**DENY, "actor": [territory.actor(hospital)],
                 "purpose": [{"system": vocabulary.ACT_REASON, "code": "ETREAT"}]}  # fmt: skip
    consent = await territory.create(gp.caller, territory.consent(patient, "emergency-objection", emergency))

    for person in (inside, also):
        answer = await territory.change(person.caller, consent, **verified(patient.reference))
        assert answer.status == 403
        assert "opposes" in json.loads(answer.body)["issue"][0]["diagnostics"]
    assert (await territory.change(gp.caller, consent, status="inactive")).status == 403
    assert (await territory.change(gp.caller, consent, **verified(patient.reference))).status == 200


@pytest.mark.parametrize("code", ["home-aide", "client"])
async def test_a_home_aide_and_a_client_withdraw_no_opposition(territory: Any, code: str) -> None:
    _, nurse, patient, consent = await opposed(territory)
    practice = await territory.organization("Maison")
    aide, doctor = await territory.person("home-aide", practice), await territory.person("gp", practice)
    client = await territory.client(practice, "gp", Purpose.TREAT)
    await territory.create(territory.system, territory.team(patient, [aide, doctor]))
    caller = client if code == "client" else aide.caller

    answer = await territory.change(caller, consent, **verified(patient.reference))

    assert answer.status in (403, 404)
    assert not await territory.sees(nurse.caller, patient.reference)


async def test_a_masking_is_not_lifted_without_the_patients_wish(territory: Any) -> None:
    nurse, other = await territory.person("nurse"), await territory.person("gp")
    attending = await territory.person("gp")
    patient = await territory.patient(nurse, other)
    attends = [territory.member(attending, role=territory.ATTENDING)]
    await territory.create(territory.system, territory.team(patient, [], participant=attends))
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    consent = await territory.create(attending.caller, territory.consent(patient, "masking", masking))

    assert (await territory.change(attending.caller, consent, status="inactive")).status == 403
    assert not await territory.sees(other.caller, weight)
    assert (await territory.change(attending.caller, consent, **verified(patient.reference))).status == 200
    assert await territory.sees(other.caller, weight)


# ---- permissions ---------------------------------------------------------------------------------------------------


async def test_a_permission_of_another_person_gives_nothing(territory: Any) -> None:
    gp, friend = await territory.person("gp"), await territory.person("nurse")
    patient, other = await territory.patient(gp), await territory.patient(gp)
    daughter, foreign = [await territory.item(one, "RelatedPerson") for one in (patient, other)]
    permit = {"type": "permit", "actor": [territory.actor(friend.role)], "securityLabel": territory.classes("CLIN")}
    for givers in (
        [other.reference], [patient.reference, other.reference], [patient.reference, foreign], [gp.role], [daughter],
    ):  # fmt: skip
        tree = territory.consent(patient, provision=permit, performer=[{"reference": one} for one in givers])
        answer = await territory.ask(gp.caller, "POST", "Consent", tree)
        assert answer.status == 422, givers
        assert json.loads(answer.body)["issue"][0]["expression"] == ["Consent.performer"]
    for foreigner in (other.reference, foreign):
        tree = territory.consent(patient, provision=permit, verification=verified(foreigner)["verification"])
        answer = await territory.ask(gp.caller, "POST", "Consent", tree)
        assert answer.status == 422
        assert json.loads(answer.body)["issue"][0]["expression"] == ["Consent.verification.verifiedWith"]
    assert not await territory.sees(friend.caller, patient.reference)


@pytest.mark.parametrize("role", ["gp", "pharmacist", "home-service-manager", "physio", "social-worker"])
async def test_staff_who_record_a_permission_say_who_gave_it(territory: Any, role: str) -> None:
    staff, outsider = await territory.person(role), await territory.person("gp")
    patient = await territory.patient(staff)
    permit = {"type": "permit", "actor": [territory.actor(outsider.role)], "securityLabel": territory.classes("SENS")}
    tree = territory.consent(patient, provision=permit)
    del tree["performer"]

    for verification in ({}, {"verification": [{"verified": False, "verifiedWith": {"reference": patient.reference}}]}):
        answer = await territory.ask(staff.caller, "POST", "Consent", {**tree, **verification})
        assert answer.status == 422, answer.body
        assert json.loads(answer.body)["issue"][0]["expression"] == ["Consent.performer"]
    assert not await territory.sees(outsider.caller, patient.reference)


async def test_a_permission_does_not_become_active_or_anothers_by_an_update(territory: Any) -> None:
    gp, friend = await territory.person("gp"), await territory.person("nurse")
    patient, other = await territory.patient(gp), await territory.patient(gp)
    permit = {"type": "permit", "actor": [territory.actor(friend.role)]}
    theirs = territory.consent(patient, provision=permit, performer=[{"reference": other.reference}], status="draft")
    consent = await territory.create(gp.caller, theirs)

    assert (await territory.change(gp.caller, consent, status="active")).status == 422


async def test_the_patient_permits_alone_with_staff_or_by_their_representative(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    weight = await territory.item(patient, **territory.vital())
    guardian, daughter = await represented(territory, patient, gp), await territory.item(patient, "RelatedPerson")
    for givers in ([], [patient.reference], [patient.reference, gp.role], [guardian], [patient.reference, daughter]):
        friend = await territory.person("nurse")
        permit = {"type": "permit", "actor": [territory.actor(friend.role)]}
        verification = verified(daughter if daughter in givers else patient.reference)["verification"]
        named = [{"reference": one} for one in givers]
        tree = territory.consent(patient, provision=permit, verification=verification, performer=named)
        if not givers:
            del tree["performer"]
        await territory.create(gp.caller, tree)
        assert await territory.sees(friend.caller, weight), givers


@pytest.mark.parametrize("spelled", ["{}/_history/1", "https://record.example/fhir/{}/_history/1"])
async def test_an_opposition_and_a_masking_hold_however_a_reference_is_spelled(territory: Any, spelled: str) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    weight, note = await territory.item(patient), await territory.item(patient, "Condition")
    data = [{"meaning": "instance", "reference": {"reference": spelled.format(weight)}}]
    await territory.create(gp.caller, territory.consent(patient, "masking", {"type": "deny", "data": data}))
    assert not await territory.sees(nurse.caller, weight)
    assert await territory.sees(nurse.caller, note)
    named = {"type": "deny", "actor": [territory.actor(spelled.format(nurse.role))]}
    await territory.create(gp.caller, territory.consent(patient, "opposition", named))
    assert not await territory.sees(nurse.caller, patient.reference)


async def test_an_opposition_that_would_stop_nobody_is_not_taken_for_one(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient, other = await territory.patient(gp, nurse), await territory.patient(gp)
    by_number = {"identifier": {"system": "https://annuaire.example", "value": "810000000001"}}
    actor = {**territory.actor(nurse.role), "reference": by_number}
    elsewhere = {**territory.actor(nurse.role), "reference": {"reference": "https://elsewhere.example/Practitioner/1"}}
    for one in (actor, elsewhere, territory.actor(other.reference)):
        tree = territory.consent(patient, "opposition", {"type": "deny", "actor": [territory.actor(gp.role), one]})
        refused = await territory.ask(gp.caller, "POST", "Consent", tree)
        assert (refused.status, b"Consent.provision.actor" in refused.body) == (422, True), refused.body
    item = await territory.item(other)
    for reference in ({"reference": item}, by_number):
        data = [{"meaning": "instance", "reference": reference}]
        tree = territory.consent(patient, "masking", {"type": "deny", "data": data})
        refused = await territory.ask(gp.caller, "POST", "Consent", tree)
        assert (refused.status, b"Consent.provision.data" in refused.body) == (422, True), refused.body
    against = {"name": "against", "valueReference": {"reference": other.reference}}
    body = {"resourceType": "Parameters", "parameter": [against]}
    assert (await territory.ask(gp.caller, "POST", f"{patient.reference}/$oppose", body)).status == 422
    both = [{"name": "against", "valueReference": {"reference": one.role}} for one in (nurse, gp)]
    body = {"resourceType": "Parameters", "parameter": both}
    assert (await territory.ask(gp.caller, "POST", f"{patient.reference}/$oppose", body)).status == 400
    # What an import brought stays as it came, and can be amended.
    came = await territory.create(
        territory.system, territory.consent(patient, "opposition", {"type": "deny", "actor": [actor]})
    )
    assert (await territory.change(gp.caller, came, language="fr")).status == 200


def against(*codes: str, system: str = vocabulary.ACT_REASON) -> Tree:
    return {"purpose": [{"system": system, "code": code} for code in codes]}


@pytest.mark.parametrize(
    ("provision", "kind", "element"),
    [
        ({"type": "deny", **against("TREATMENT")}, "opposition", "purpose"),
        ({"type": "deny", **against("HRESCH", "TREATMENT")}, "opposition", "purpose"),
        ({"type": "deny", **against("care", system="urn:oid:2.16.840.1.113883.5.8")}, "opposition", "purpose"),
        ({}, "opposition", "type"),
        ({}, "sharing", "type"),
        ({"type": "permit", "provision": [{}]}, "sharing", "provision.type"),
        ({"type": "permit", "provision": [{"type": "deny", **against("TREATMENT")}]}, "opposition", "provision.purpose"),
    ],
    ids=["unknown purpose", "beside research", "unknown by its OID", "no type", "no type, no opposition", "nested, no type",
         "nested, unknown purpose"],
)  # fmt: skip
@pytest.mark.parametrize("status", ["active", "proposed"])
async def test_an_opposition_says_what_it_denies(
    territory: Any, provision: Tree, kind: str, element: str, status: str
) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    named = {"actor": [territory.actor(nurse.practitioner)]}
    nested = [{**one, **named} for one in provision.get("provision", ())]
    whole = {**provision, **({"provision": nested} if nested else named)}
    tree = {**territory.consent(patient, kind, {"type": "permit"}), "status": status, "provision": whole}

    for method, path, body in (("POST", "Consent", tree), ("POST", "", in_transaction(tree))):
        refused = await territory.ask(gp.caller, method, path, body)
        assert (refused.status, f"Consent.provision.{element}".encode() in refused.body) == (422, True), refused.body
    # Nor does a draft become one.
    draft = await territory.create(gp.caller, {**tree, "status": "draft"})
    refused = await territory.change(gp.caller, draft, status=status)
    assert (refused.status, f"Consent.provision.{element}".encode() in refused.body) == (422, True), refused.body


def in_transaction(tree: Tree) -> Tree:
    entry = {"resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


async def test_an_opposition_without_a_rule_is_none(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    tree = {
        name: value for name, value in territory.consent(patient, "opposition", DENY).items() if name != "provision"
    }
    refused = await territory.ask(gp.caller, "POST", "Consent", tree)
    assert (refused.status, b"Consent.provision.type" in refused.body) == (422, True), refused.body


async def test_what_records_information_denies_nothing(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    tree = territory.consent(patient, "information", {**DENY, "actor": [territory.actor(nurse.practitioner)]})
    refused = await territory.ask(gp.caller, "POST", "Consent", tree)
    assert (refused.status, b"Consent.category" in refused.body) == (422, True), refused.body


@pytest.mark.parametrize("code", ["HRESCH", "HMARKT"])
async def test_an_opposition_to_what_is_no_care_stops_no_care(territory: Any, code: str) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    await territory.create(gp.caller, territory.consent(patient, "opposition", {**DENY, **against(code)}))
    assert await territory.sees(nurse.caller, patient.reference)
