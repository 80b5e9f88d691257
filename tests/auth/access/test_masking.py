"""What the patient masks is for its author and the attending doctor alone: not for their delegates, nor for software."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access.purposes import Purpose
from liaison.auth.access.rebuild import rebuild

from .pieces import label, moment

Tree = dict[str, Any]
DENY: Tree = {"type": "deny"}
NOW: Tree = {"start": moment(days=1), "end": moment(days=-10)}
MASQUE: Tree = {
    "meta": {
        "security": [
            {
                "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/"
                "TRE-A07-StatusVisibiliteDocument",
                "code": "MASQUE_PS",
            }
        ]
    }
}


async def attended(territory: Any, *others: Any, organization: str = "") -> tuple[Any, Any]:
    """A patient with an attending doctor, and a team of others."""
    attending = await territory.person("gp", organization)
    patient = await territory.patient(*others)
    attends = [territory.member(attending, role=territory.ATTENDING)]
    await territory.create(territory.system, territory.team(patient, [], participant=attends))
    return attending, patient


async def test_a_masking_with_dates_to_come_is_refused(territory: Any) -> None:
    """A class is on a row or it is not: it could not end by itself at an instant."""
    attending, patient = await attended(territory)
    weight = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}

    for period in ({"start": moment(days=-1)}, {"start": moment(days=2), "end": moment(days=-1)}):
        consent = territory.consent(patient, "masking", {**masking, "period": period})
        answer = await territory.ask(attending.caller, "POST", "Consent", consent)
        assert answer.status == 422
        assert json.loads(answer.body)["issue"][0]["expression"] == ["Consent.provision.period"]


async def test_a_dated_masking_that_was_brought_hides_until_it_is_withdrawn(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    weights = [
        await territory.create(attending.caller, territory.item_of(patient, **territory.vital())) for _ in range(3)
    ]
    periods = ({"start": moment(days=-1)}, {"end": moment(days=-1)}, {"end": moment(days=1)})
    for weight, period in zip(weights, periods, strict=True):
        masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}], "period": period}
        await territory.create(territory.system, territory.consent(patient, "masking", masking))

    assert [await territory.sees(nurse.caller, one) for one in weights] == [False, False, True]  # the last was over
    before = await territory.database.reading.fetch("select * from relation order by 1, 2, 3, 4, 5, 6")
    await rebuild(territory.database.writing, territory.store.vault)
    assert await territory.database.reading.fetch("select * from relation order by 1, 2, 3, 4, 5, 6") == before


async def test_a_masked_item_does_not_exist_for_a_trainee_a_secretary_or_a_client(territory: Any) -> None:
    practice = await territory.organization("Maison de santé")
    nurse = await territory.person("nurse", practice)
    attending, patient = await attended(territory, nurse, organization=practice)
    trainee, secretary, substitute = [
        await territory.person(code, practice, acts_for=attending.role, period=NOW)
        for code in ("trainee", "secretary", "substitute")
    ]
    client = await territory.client(practice, "gp", Purpose.TREAT)
    document = territory.item_of(patient, "DocumentReference")
    labelled = await territory.create(attending.caller, {**document, **MASQUE})
    by_consent = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    shown = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": by_consent}}]}
    consent = await territory.create(territory.system, territory.consent(patient, "masking", masking))

    for who in (trainee.caller, client):
        assert await territory.sees(who, shown)
        for path in (labelled, by_consent, consent):
            absent = await territory.ask(who, "GET", f"{path.split('/')[0]}/{'0' * 32}")
            hidden = await territory.ask(who, "GET", path)
            assert (hidden.status, hidden.body) == (absent.status, absent.body)
        assert await territory.search(who, f"Observation?patient={patient.reference}") == [shown]
        assert await territory.search(who, f"DocumentReference?patient={patient.reference}") == []
        for path in (labelled, by_consent, consent):
            assert (await territory.change(who, path, language="fr")).status in (403, 404)
    assert (await territory.ask(client, "POST", "DocumentReference", {**document, **MASQUE})).status == 403
    for path in (labelled, by_consent, consent):
        assert not await territory.sees(secretary.caller, path)
        assert await territory.sees(substitute.caller, path)


async def test_a_trainee_reads_and_amends_what_they_wrote_and_the_patient_masked(territory: Any) -> None:
    attending, patient = await attended(territory)
    trainee = await territory.person("trainee", acts_for=attending.role, period=NOW)
    colleague = await territory.person("trainee", acts_for=attending.role, period=NOW)
    note = await territory.create(trainee.caller, territory.item_of(patient, "DocumentReference"))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": note}}]}
    await territory.create(territory.system, territory.consent(patient, "masking", masking))

    assert await territory.sees(trainee.caller, note)
    assert await territory.sees(attending.caller, note)
    assert await territory.search(trainee.caller, f"DocumentReference?patient={patient.reference}") == [note]
    assert (await territory.change(trainee.caller, note, language="fr")).status == 200
    assert not await territory.sees(colleague.caller, note)
    assert await territory.search(colleague.caller, f"DocumentReference?patient={patient.reference}") == []


async def test_who_named_themselves_its_author_does_not_see_it_once_it_is_masked(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    entry = territory.item_of(patient, "Observation", performer=[{"reference": attending.practitioner}])
    note = await territory.create(attending.caller, entry)
    taken = await territory.change(nurse.caller, note, performer=[{"reference": nurse.practitioner}])
    assert taken.status == 200
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": note}}]}
    await territory.create(territory.system, territory.consent(patient, "masking", masking))
    assert not await territory.sees(nurse.caller, note)
    assert await territory.sees(attending.caller, note)


async def test_who_wrote_it_may_say_that_it_is_a_colleague_s(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    note = await territory.create(nurse.caller, territory.item_of(patient, "Observation"))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": note}}]}
    corrected = await territory.change(nurse.caller, note, performer=[{"reference": attending.practitioner}])
    assert corrected.status == 200
    await territory.create(territory.system, territory.consent(patient, "masking", masking))
    assert not await territory.sees(nurse.caller, note)


async def test_a_client_that_opened_a_record_does_not_read_what_is_masked_there(territory: Any) -> None:
    practice = await territory.organization("Maison de santé")
    client = await territory.client(practice, "gp", Purpose.TREAT)
    opened = await territory.create(client, {"resourceType": "Patient", "birthDate": "1950-01-01"})
    record = SimpleNamespace(reference=opened)
    weight = await territory.create(client, territory.item_of(record, **territory.vital()))
    assert await territory.sees(client, weight)
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}

    await territory.create(territory.system, territory.consent(record, "masking", masking))

    assert not await territory.sees(client, weight)


async def test_a_masking_label_is_lifted_by_the_author_or_the_attending_doctor_alone(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    substitute = await territory.person("substitute", acts_for=attending.role, period=NOW)
    document = {**territory.item_of(patient, "DocumentReference"), **MASQUE}
    one, two = [await territory.create(nurse.caller, document) for _ in "ab"]

    assert (await territory.change(substitute.caller, one, **label("CLIN"))).status == 403
    assert (await territory.change(substitute.caller, one, description="x")).status == 200
    assert (await territory.change(attending.caller, one, **label("CLIN"))).status == 200
    assert (await territory.change(nurse.caller, two, **label("CLIN"))).status == 200
    own = await territory.create(substitute.caller, document)
    assert (await territory.change(substitute.caller, own, **label("CLIN"))).status == 200


async def test_a_consent_that_masks_is_ended_by_the_author_or_the_attending_doctor_alone(territory: Any) -> None:
    nurse, other = await territory.person("nurse"), await territory.person("gp")
    attending, patient = await attended(territory, nurse, other)
    substitute = await territory.person("substitute", acts_for=attending.role, period=NOW)
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    consent = await territory.create(attending.caller, territory.consent(patient, "masking", masking))
    said = {"verified": True, "verifiedWith": {"reference": patient.reference}, "verificationDate": moment()}
    ended = {"status": "inactive", "verification": [said]}

    assert (await territory.change(substitute.caller, consent, **ended)).status == 403
    assert not await territory.sees(other.caller, weight)
    assert (await territory.change(attending.caller, consent, **ended)).status == 200
    assert await territory.sees(other.caller, weight)


async def test_what_tells_of_a_masked_item_is_as_hidden_as_the_item(territory: Any) -> None:
    nurse, other = await territory.person("nurse"), await territory.person("nurse")
    attending, patient = await attended(territory, nurse, other)
    weight = await territory.create(nurse.caller, territory.item_of(patient, **territory.vital()))
    assert (await territory.change(attending.caller, weight, status="corrected")).status == 200
    told = f"Provenance?target={weight}"
    [before] = await territory.search(other.caller, told)
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": weight}}]}
    consent = await territory.create(territory.system, territory.consent(patient, "masking", masking))

    assert await territory.search(other.caller, told) == []
    assert not await territory.sees(other.caller, before)
    # One written while it is masked, by the sender's own words too.
    assert (await territory.change(attending.caller, weight, status="amended")).status == 200
    own = {"resourceType": "Provenance", "target": [{"reference": weight}], "recorded": moment(),
           "agent": [{"who": {"reference": attending.role}}]}  # fmt: skip
    await territory.create(attending.caller, own)
    assert await territory.search(other.caller, told) == []
    assert len(await territory.search(attending.caller, told)) == 3

    assert (await territory.change(territory.system, consent, status="inactive")).status == 200
    assert len(await territory.search(other.caller, told)) == 3


def report_of(item: str) -> Tree:
    code = {"coding": [{"system": "http://loinc.org", "code": "11502-2"}]}
    return {"status": "final", "code": code, "result": [{"reference": item, "display": "Sérologie"}]}


def summary_of(item: str) -> Tree:
    return {
        "status": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "60591-5"}]},
        "date": moment(),
        "title": "Synthèse",
        "section": [{"title": "Biologie", "entry": [{"reference": item, "display": "Sérologie"}]}],
    }


TELLING: Tree = {
    "derived": ("Observation", lambda item: {"derivedFrom": [{"reference": item, "display": "Sérologie"}]}),
    "panel": ("Observation", lambda item: {"hasMember": [{"reference": item, "display": "Sérologie"}]}),
    "report": ("DiagnosticReport", report_of),
    "summary": ("Composition", summary_of),
}


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("written", ["before", "after"])
async def test_what_is_made_of_a_masked_item_is_as_hidden_as_the_item(territory: Any, name: str, written: str) -> None:
    """A reference names what is hidden, and its display often says it."""
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))
    other = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))
    type_, made = TELLING[name]
    subject, by = {"subject": {"reference": patient.reference}}, [{"reference": attending.role}]
    shape = {
        "Observation": territory.item_of(patient, **territory.vital()),
        "DiagnosticReport": {"resourceType": "DiagnosticReport", **subject},
        "Composition": {"resourceType": "Composition", "author": by, **subject},
    }[type_]
    teller, another = ({**shape, **made(about)} for about in (item, other))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": item}}]}

    if written == "before":
        told = await territory.create(attending.caller, teller)
        assert await territory.sees(nurse.caller, told)
    consent = await territory.create(territory.system, territory.consent(patient, "masking", masking))
    if written == "after":
        told = await territory.create(attending.caller, teller)
    open_ = await territory.create(attending.caller, another)

    assert await territory.sees(attending.caller, told)
    assert not await territory.sees(nurse.caller, told)
    assert await territory.sees(nurse.caller, open_)
    assert (await territory.change(territory.system, consent, status="inactive")).status == 200
    assert await territory.sees(nurse.caller, told)


async def test_a_report_of_what_was_computed_from_a_masked_item_is_hidden_too(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))
    computed = {**territory.item_of(patient, **territory.vital()), "derivedFrom": [{"reference": item}]}
    derived = await territory.create(attending.caller, computed)
    report = await territory.create(
        attending.caller,
        {"resourceType": "DiagnosticReport", "subject": {"reference": patient.reference}, **report_of(derived)},
    )
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": item}}]}

    await territory.create(territory.system, territory.consent(patient, "masking", masking))

    assert [await territory.sees(nurse.caller, one) for one in (item, derived, report)] == [False] * 3
    assert [await territory.sees(attending.caller, one) for one in (item, derived, report)] == [True] * 3
