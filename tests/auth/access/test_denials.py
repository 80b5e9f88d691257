"""Opposition and masking: in force at once, for whom and what they name; the existence of what is masked is not told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose

from .pieces import moment

Tree = dict[str, Any]
DENY: Tree = {"type": "deny"}


async def oppose(territory: Any, patient: Any, *actors: str, **provision: Any) -> str:
    whole = {**DENY, **({"actor": [territory.actor(one) for one in actors]} if actors else {}), **provision}
    return str(await territory.create(territory.system, territory.consent(patient, "opposition", whole)))


def wished(patient: Any) -> list[Tree]:
    """What a professional adds who records that the patient ends an opposition."""
    return [{"verified": True, "verifiedWith": {"reference": patient.reference}, "verificationDate": moment()}]


async def test_an_opposition_to_a_named_nurse_takes_effect_at_the_next_request(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    assert await territory.sees(nurse.caller, weight)

    consent = await oppose(territory, patient, nurse.practitioner)

    for path in (patient.reference, weight, consent, f"{weight}/_history/1"):
        assert not await territory.sees(nurse.caller, path)
        assert await territory.sees(gp.caller, path)
    await territory.refused(nurse.caller, "POST", "Observation", territory.item_of(patient))

    await territory.change(gp.caller, consent, status="inactive", verification=wished(patient))
    assert await territory.sees(nurse.caller, weight)


async def test_an_opposition_to_a_hospital_holds_in_its_units(territory: Any) -> None:
    hospital = await territory.organization("Hôpital")
    unit = await territory.organization("Pneumologie", part_of=hospital)
    doctor, gp = await territory.person("hospital-doctor", unit), await territory.person("gp")
    patient = await territory.patient(gp, doctor)
    assert await territory.sees(doctor.caller, patient.reference)

    await oppose(territory, patient, hospital)

    assert not await territory.sees(doctor.caller, patient.reference)
    assert await territory.sees(gp.caller, patient.reference)


async def test_a_unit_that_joins_a_hospital_falls_under_its_oppositions(territory: Any) -> None:
    hospital = await territory.organization("Hôpital")
    unit = await territory.organization("Pneumologie")
    doctor = await territory.person("hospital-doctor", unit)
    patient = await territory.patient(doctor)
    await oppose(territory, patient, hospital)
    assert await territory.sees(doctor.caller, patient.reference)

    await territory.change(territory.system, unit, partOf={"reference": hospital})

    assert not await territory.sees(doctor.caller, patient.reference)


async def test_a_provisional_opposition_counts_and_a_rejected_one_does_not(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    tree = territory.consent(patient, "opposition", {**DENY, "actor": [territory.actor(nurse.role)]}, status="proposed")
    consent = await territory.create(gp.caller, tree)
    assert not await territory.sees(nurse.caller, patient.reference)

    await territory.change(gp.caller, consent, status="rejected", verification=wished(patient))
    assert await territory.sees(nurse.caller, patient.reference)


async def test_an_opposition_to_research_is_not_one_to_care(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    await oppose(territory, patient, purpose=[{"system": vocabulary.ACT_REASON, "code": "HRESCH"}])
    assert await territory.sees(gp.caller, patient.reference)


async def test_the_person_still_sees_a_record_whose_sharing_they_oppose(territory: Any) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    await oppose(territory, patient)
    assert await territory.sees(await territory.as_oneself(patient.reference), patient.reference)
    assert not await territory.sees(gp.caller, patient.reference)


async def test_a_masked_item_is_for_its_author_and_the_attending_doctor(territory: Any) -> None:
    attending, nurse, other = [await territory.person(code) for code in ("gp", "nurse", "gp")]
    patient = await territory.patient(nurse, other)
    await territory.create(
        territory.system,
        territory.team(patient, [], participant=[territory.member(attending, role=territory.ATTENDING)]),
    )
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    await territory.change(nurse.caller, weight, status="amended")
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    paths = (weight, f"{weight}/_history/1", f"{weight}/_history/2", f"{weight}/_history")
    query = f"Observation?patient={patient.reference}"

    consent = await territory.create(territory.system, territory.consent(patient, "masking", masking))

    for path in paths:
        assert await territory.sees(attending.caller, path)
        assert await territory.sees(nurse.caller, path)
        assert not await territory.sees(other.caller, path)
    assert await territory.search(other.caller, query) == []
    assert await territory.sees(await territory.as_oneself(patient.reference), weight)

    await territory.change(nurse.caller, weight, status="corrected")
    assert not await territory.sees(other.caller, weight)

    await territory.change(territory.system, consent, status="inactive")
    for path in paths:
        assert await territory.sees(other.caller, path)


async def test_unmasking_leaves_what_its_own_label_masks(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    system = "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument"
    masked = {"meta": {"security": [{"system": system, "code": "MASQUE_PS"}]}}
    document = await territory.create(gp.caller, territory.item_of(patient, "DocumentReference", **masked))
    assert not await territory.sees(nurse.caller, document)
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": document}}]}
    consent = await territory.create(territory.system, territory.consent(patient, "masking", masking))

    await territory.change(territory.system, consent, status="inactive")

    assert not await territory.sees(nurse.caller, document)
    assert await territory.sees(gp.caller, document)


async def test_a_masking_of_another_persons_item_masks_nothing(territory: Any) -> None:
    gp = await territory.person("gp")
    mine, other = await territory.patient(gp), await territory.patient(gp)
    weight = await territory.item(other, **territory.vital())
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    await territory.create(territory.system, territory.consent(mine, "masking", masking))
    assert await territory.sees(gp.caller, weight)


async def test_an_emergency_access_does_not_unmask(territory: Any) -> None:
    gp, doctor = await territory.person("gp"), await territory.person("hospital-doctor")
    patient = await territory.patient(gp)
    weight, problem = await territory.item(patient, **territory.vital()), await territory.item(patient, "Condition")
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    await territory.create(territory.system, territory.consent(patient, "masking", masking))
    now = datetime.now(UTC)
    period = {
        "start": now.isoformat(timespec="seconds"),
        "end": (now + timedelta(hours=4)).isoformat(timespec="seconds"),
    }
    task = territory.item_of(
        patient, "Task", code={"coding": [{"system": vocabulary.REVIEW, "code": "emergency-access"}]},
        requester={"reference": doctor.role}, restriction={"period": period},
    )  # fmt: skip
    await territory.create(territory.system, task)
    urgent = await territory.sign_in(doctor, Purpose.ETREAT)

    assert await territory.sees(urgent, problem)
    assert not await territory.sees(urgent, weight)
    assert not await territory.sees(doctor.caller, problem)


@pytest.mark.parametrize("status", ["active", "proposed"])
async def test_a_consent_in_force_is_not_deleted(territory: Any, status: str) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    psychiatry = {**DENY, "securityLabel": territory.classes("PSY")}
    denied = await territory.create(gp.caller, territory.consent(patient, "opposition", psychiatry, status=status))
    assert (await territory.ask(gp.caller, "DELETE", denied)).status == 409


async def test_deletion_is_for_the_author_within_a_day(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    mine, old = [await territory.create(nurse.caller, territory.item_of(patient, **territory.vital())) for _ in "ab"]
    await territory.database.writing.execute(
        "update version set at = at - interval '25 hours' where res = $1", territory.key(old).res
    )

    assert (await territory.ask(gp.caller, "DELETE", mine)).status == 403
    assert (await territory.ask(nurse.caller, "DELETE", old)).status == 403
    assert (await territory.ask(nurse.caller, "DELETE", mine)).status == 204
    assert await territory.status(nurse.caller, mine) == 410


async def test_an_amendment_of_someone_elses_entry_carries_a_provenance(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))

    assert (await territory.change(nurse.caller, weight, status="amended")).status == 200
    assert await territory.search(gp.caller, f"Provenance?target={weight}") == []
    assert (await territory.change(gp.caller, weight, status="corrected")).status == 200

    [provenance] = await territory.search(gp.caller, f"Provenance?target={weight}")
    tree = await territory.tree(provenance, nurse.caller)
    assert tree["target"] == [{"reference": f"{weight}/_history/3"}]
    assert tree["agent"][0]["who"] == {"reference": gp.role}
