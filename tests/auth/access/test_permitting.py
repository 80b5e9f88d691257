"""Nobody opens, by a permission that they record in the person's name, what they do not read themselves."""

import base64
import json
from typing import Any

import pytest

from liaison.auth.access import permitting, vocabulary

from .pieces import Tree, label, moment

FORM = {"contentType": "application/pdf", "data": base64.b64encode(b"%PDF-1.7 signed").decode()}
MENTAL = [{"coding": [{"system": vocabulary.CARE_TEAM, "code": "mental-health"}]}]


def permit(territory: Any, patient: Any, to: str, *names: str, **more: Any) -> Tree:
    provision = {"type": "permit", "actor": [territory.actor(to)]}
    if names:
        provision["securityLabel"] = territory.classes(*names)
    return dict(territory.consent(patient, provision=provision, **more))


def transaction(*entries: tuple[str, str, Tree]) -> Tree:
    whole = [
        {"fullUrl": url, "resource": tree, "request": {"method": method, "url": tree["resourceType"]}}
        for url, method, tree in entries
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": whole}


@pytest.mark.parametrize(
    ("role", "names", "may"),
    [
        ("home-service-manager", ["CLIN"], False),
        ("home-service-manager", ["COORD", "SENS"], False),
        ("home-service-manager", [], False),  # what a team would see of the ordinary record
        ("home-service-manager", ["COORD", "SOC"], True),
        ("pharmacist", ["SENS"], False),
        ("pharmacist", ["PSY"], False),
        ("pharmacist", ["CLIN"], False),
        ("pharmacist", ["MEDS", "ALLERGY", "ADM"], True),
        ("social-worker", ["CLIN_ONLY"], False),
        ("coordinator", ["SYNTH"], True),
        ("nurse", ["SENS"], False),
        ("nurse", [], True),
        ("gp", ["SENS", "CLIN"], True),
        ("gp", ["PSY"], False),
    ],
    ids=lambda given: "-".join(given) or "ordinary" if isinstance(given, list) else str(given),
)
async def test_staff_permit_no_more_than_they_read(territory: Any, role: str, names: list[str], *, may: bool) -> None:
    staff, outsider = await territory.person(role), await territory.person("gp")
    patient = await territory.patient(staff)

    answer = await territory.ask(staff.caller, "POST", "Consent", permit(territory, patient, outsider.role, *names))

    assert answer.status == (201 if may else 403), answer.body
    if not may:
        assert "do not read" in json.loads(answer.body)["issue"][0]["diagnostics"]
        assert not await territory.search(outsider.caller, f"Consent?patient={patient.reference}")


async def test_a_permission_is_not_widened_by_whoever_does_not_read_what_it_then_opens(territory: Any) -> None:
    """By an update, a patch, a conditional update, in a transaction, for longer, for another; not by a first draft either."""
    manager, gp = await territory.person("home-service-manager"), await territory.person("gp")
    outsider, another = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(manager, gp)
    until = {"period": {"end": moment(days=-5)}}
    stated = permit(territory, patient, outsider.role, "CLIN", "ADM")
    stated["provision"] |= until
    stated["identifier"] = [{"system": "urn:ietf:rfc:3986", "value": "urn:permission"}]
    consent = await territory.create(gp.caller, stated)
    tree = await territory.tree(consent)
    wider = {**tree["provision"], "securityLabel": territory.classes("CLIN", "ADM", "SENS")}
    longer = {**tree["provision"], "period": {"end": moment(days=-50)}}
    other = {**tree["provision"], "actor": [territory.actor(another.role)]}

    for provision in (wider, longer, other):
        assert (await territory.change(manager.caller, consent, provision=provision)).status == 403
        found = await territory.ask(
            manager.caller, "PUT", f"Consent?identifier=urn:permission&patient={patient.reference}",
            {**tree, "provision": provision},
        )  # fmt: skip
        assert found.status == 403, found.body
        patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
            {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Consent.provision.securityLabel[0].code"},
            {"name": "value", "valueCode": "SENS"}]}]}  # fmt: skip
        assert (await territory.ask(manager.caller, "PATCH", consent, patch)).status == 403
        whole = {**tree, "provision": provision}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
            {"resource": whole, "request": {"method": "PUT", "url": consent}}]}  # fmt: skip
        assert (await territory.ask(manager.caller, "POST", "", bundle)).status == 403
    draft = await territory.create(manager.caller, permit(territory, patient, another.role, "CLIN", status="draft"))
    assert (await territory.change(manager.caller, draft, status="active")).status == 403
    nested = {"type": "deny", "actor": [territory.actor(another.role)], "securityLabel": territory.classes("SOC"),
              "provision": [other]}  # fmt: skip
    answer = await territory.ask(
        manager.caller, "POST", "Consent", {**permit(territory, patient, another.role), "provision": nested}
    )
    assert answer.status == 403
    assert not await territory.sees(another.caller, patient.reference)
    # What stands may be written again, shortened and ended by whoever may write it.
    assert (await territory.change(manager.caller, consent, language="fr")).status == 200
    shorter = {**tree["provision"], "period": {"end": moment(days=-2)}}
    assert (await territory.change(manager.caller, consent, provision=shorter)).status == 200
    assert (await territory.change(manager.caller, consent, status="inactive")).status == 200
    assert not await territory.sees(outsider.caller, patient.reference)


async def test_what_somebody_reads_by_a_permission_or_wrote_themselves_they_do_not_permit_further(
    territory: Any,
) -> None:
    gp, nurse, outsider = await territory.person("gp"), await territory.person("nurse"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    secret = await territory.create(nurse.caller, territory.item_of(patient, "Condition", **label("SENS")))
    await territory.create(gp.caller, permit(territory, patient, nurse.role, "SENS"))
    assert await territory.sees(nurse.caller, secret)

    answer = await territory.ask(nurse.caller, "POST", "Consent", permit(territory, patient, outsider.role, "SENS"))

    assert answer.status == 403


async def test_a_doctor_records_more_than_they_read_from_the_form_that_the_person_signed(territory: Any) -> None:
    gp, nurse, friend = [await territory.person(code) for code in ("gp", "nurse", "gp")]
    patient = await territory.patient(gp, nurse)
    note = await territory.item(patient, "Condition", **label("PSY", "CLIN"))
    asked = permit(territory, patient, friend.role, "PSY", "CLIN")

    assert (await territory.ask(nurse.caller, "POST", "Consent", {**asked, "sourceAttachment": FORM})).status == 403
    for not_a_form in ({**FORM, "data": "AAAA"}, {"url": "https://x.example/form.pdf"}, {"title": "signed"}):
        answer = await territory.ask(gp.caller, "POST", "Consent", {**asked, "sourceAttachment": not_a_form})
        assert answer.status == 403, answer.body
    ordinary = permit(territory, patient, friend.role, "CLIN", sourceAttachment=FORM)
    signed = await territory.create(gp.caller, ordinary)
    # The form is of what it was signed for, not of more that is written later.
    assert (await territory.change(gp.caller, signed, provision=asked["provision"])).status == 403
    assert not await territory.sees(friend.caller, note)
    await territory.create(gp.caller, {**asked, "sourceAttachment": FORM})
    assert await territory.sees(friend.caller, note)


async def test_a_member_of_the_subteam_records_that_psychiatry_is_opened(territory: Any) -> None:
    gp, member, friend = [await territory.person(code) for code in ("gp", "nurse", "gp")]
    patient = await territory.patient(gp, member)
    await territory.create(gp.caller, territory.team(patient, [member], category=MENTAL))
    await territory.create(member.caller, permit(territory, patient, friend.role, "PSY", "CLIN", "ADM"))
    assert await territory.sees(friend.caller, await territory.item(patient, "Condition", **label("PSY")))


async def test_the_person_permits_what_they_wish_and_their_representative_what_they_read(territory: Any) -> None:
    gp, friend = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp)
    inner = [{"url": "measure", "valueCode": "tutelle"}, {"url": "seenOn", "valueDate": "2026-01-05"},
             {"url": "seenBy", "valueReference": {"reference": gp.role}}]  # fmt: skip
    guardian = await territory.item(
        patient, "RelatedPerson", extension=[{"url": vocabulary.REPRESENTATION, "extension": inner}]
    )
    as_guardian = await territory.as_oneself(guardian, "guardian", patient.reference)
    as_oneself = await territory.as_oneself(patient.reference, "patient", patient.reference)
    by_guardian = [{"reference": guardian}]

    for name in ("SENS", "MINOR", "NOTE3P"):
        tree = permit(territory, patient, friend.role, name, performer=by_guardian)
        assert (await territory.ask(as_guardian, "POST", "Consent", tree)).status == 403, name
        for performer in (by_guardian, [{"reference": patient.reference}]):  # nor to themselves, in whoever's name
            tree = permit(territory, patient, guardian, name, performer=performer)
            assert (await territory.ask(as_guardian, "POST", "Consent", tree)).status in (403, 422), name
    await territory.create(as_guardian, permit(territory, patient, friend.role, "CLIN", performer=by_guardian))
    await territory.create(as_oneself, permit(territory, patient, friend.role, "SENS", "MINOR"))


@pytest.mark.parametrize("role", ["home-service-manager", "secretary", "pharmacist"])
async def test_a_permission_does_not_come_with_the_record_that_is_opened(territory: Any, role: str) -> None:
    """In one transaction with the Patient, where nobody has a right on the record yet."""
    gp, outsider = await territory.person("gp"), await territory.person("gp")
    staff = await territory.person(role, **({"acts_for": gp.role} if role == "secretary" else {}))
    urn = "urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1a02"

    class Coming:
        reference = urn

    person = {"resourceType": "Patient", "name": [{"family": "Nouveau"}], "birthDate": "1950-01-01"}
    bundle = transaction(
        (urn, "POST", person),
        ("urn:uuid:7f3b2a52-9d5c-4c4e-9f58-0d9a5f6d1a03", "POST", permit(territory, Coming, outsider.role, "CLIN")),
    )

    answer = await territory.ask(staff.caller, "POST", "", bundle)

    assert answer.status == 403, answer.body
    alone = transaction((urn, "POST", person))
    assert (await territory.ask(staff.caller, "POST", "", alone)).status in (200, 403)


async def test_whatever_they_may_not_permit_every_member_records_an_opposition(territory: Any) -> None:
    for role in ("home-service-manager", "pharmacist", "social-worker"):
        staff, gp = await territory.person(role), await territory.person("gp")
        patient = await territory.patient(staff, gp)
        against = {
            "type": "deny",
            "actor": [territory.actor(gp.role)],
            "securityLabel": territory.classes("SENS", "PSY"),
        }
        await territory.create(staff.caller, territory.consent(patient, "opposition", against))


async def test_without_the_check_a_manager_opens_the_clinical_record(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing(*_: Any) -> None:
        pass

    monkeypatch.setattr(permitting, "check", nothing)
    manager, outsider = await territory.person("home-service-manager"), await territory.person("gp")
    patient = await territory.patient(manager)
    await territory.create(manager.caller, permit(territory, patient, outsider.role, "CLIN", "SENS"))
    assert await territory.sees(outsider.caller, await territory.item(patient, "Condition", **label("SENS")))


async def test_whom_a_permission_names_does_not_become_somebody_else(territory: Any) -> None:
    gp = await territory.person("gp")
    secretary = await territory.person("secretary", acts_for=gp.role)
    manager = await territory.person("home-service-manager")
    patient = await territory.patient(gp, manager)
    daughter = await territory.item(patient, "RelatedPerson", name=[{"family": "LE GOFF"}])
    other = await territory.item(patient, "RelatedPerson", name=[{"family": "TANGUY"}])
    await territory.create(gp.caller, permit(territory, patient, daughter, "VITAL", "PROCHES"))

    for changed in ({"name": [{"family": "PIRATE"}]}, {"birthDate": "1980-01-05"}):
        assert (await territory.change(secretary.caller, daughter, **changed)).status == 403
    assert (
        await territory.change(secretary.caller, daughter, telecom=[{"system": "phone", "value": "01"}])
    ).status == 200
    assert (await territory.change(secretary.caller, other, name=[{"family": "TANGUI"}])).status == 200
    assert (await territory.change(gp.caller, daughter, name=[{"family": "LE GOF"}])).status == 200
