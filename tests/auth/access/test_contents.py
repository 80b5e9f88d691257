"""What a document holds is as closed as the document, whoever asks for it, in whatever version; and so are former versions."""

import json
from typing import Any

import pytest

from liaison.auth.access import contents

from .pieces import label
from .test_masking import DENY, MASQUE, attended

Tree = dict[str, Any]
CONTENT = "urn:uuid:0b3e6b1e-0000-4000-8000-000000000001"


def document(territory: Any, patient: Any, url: str, **more: Any) -> Tree:
    attachment = {"contentType": "text/plain", "url": url}
    return {**territory.item_of(patient, "DocumentReference"), "content": [{"attachment": attachment}], **more}


def report(territory: Any, patient: Any, url: str, **more: Any) -> Tree:
    return {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": patient.reference},
        "presentedForm": [{"contentType": "text/plain", "url": url}],
        **more,
    }


async def sent(territory: Any, caller: Any, *trees: Tree) -> list[str]:
    binary: Tree = {"resourceType": "Binary", "contentType": "text/plain", "data": "U0VDUkVU"}
    entries = [
        {"fullUrl": CONTENT if number == 0 else f"urn:x:{number}", "resource": tree,
         "request": {"method": "POST", "url": tree["resourceType"]}}
        for number, tree in enumerate((binary, *trees))
    ]  # fmt: skip
    for number, entry in enumerate(entries[1:], 2):
        entry["fullUrl"] = f"{CONTENT[:-1]}{number}"
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await territory.ask(caller, "POST", "", bundle)
    assert answer.status == 200, answer.body
    return ["/".join(one["response"]["location"].split("/")[-4:-2]) for one in json.loads(answer.body)["entry"]]


async def found(territory: Any, caller: Any, patient: Any) -> list[str]:
    path = f"{patient.reference}/$everything?_type=Binary"
    answer = json.loads((await territory.ask(caller, "GET", path)).body)
    return [
        f"Binary/{one['resource']['id']}"
        for one in answer.get("entry", ())
        if one["resource"]["resourceType"] == "Binary"
    ]


@pytest.mark.parametrize("holder", [document, report], ids=["document", "report"])
@pytest.mark.parametrize("closed", ["PSY", "SENS", "MASQUE"])
async def test_a_content_is_as_closed_as_what_it_is_the_content_of(territory: Any, holder: Any, closed: str) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    labels = MASQUE if closed == "MASQUE" else label(closed)

    content, held = await sent(territory, attending.caller, holder(territory, patient, CONTENT, **labels))
    plain, open_ = await sent(territory, attending.caller, holder(territory, patient, CONTENT))

    assert [await territory.sees(nurse.caller, one) for one in (held, content, open_, plain)] == [
        False,
        False,
        True,
        True,
    ]
    assert await territory.sees(attending.caller, content)
    assert await found(territory, nurse.caller, patient) == [plain]
    overwritten = {
        "resourceType": "Binary",
        "id": content.partition("/")[2],
        "contentType": "text/plain",
        "data": "RkFVWA==",
    }
    assert (await territory.ask(nurse.caller, "PUT", content, overwritten)).status == 404


async def test_it_follows_a_masking_and_a_label_that_come_and_go(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    content, held = await sent(territory, attending.caller, document(territory, patient, CONTENT))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": held}}]}

    consent = await territory.create(territory.system, territory.consent(patient, "masking", masking))
    assert not await territory.sees(nurse.caller, content)
    assert (await territory.change(territory.system, consent, status="inactive")).status == 200
    assert await territory.sees(nurse.caller, content)
    assert (await territory.change(territory.system, held, **label("SENS"))).status == 200
    assert not await territory.sees(nurse.caller, content)
    assert (await territory.change(territory.system, content, language="fr")).status == 200
    assert not await territory.sees(nurse.caller, content)  # nor by a new version of its own
    assert (await territory.change(territory.system, held, meta=None)).status == 200
    assert await territory.sees(nurse.caller, content)


async def test_of_two_that_hold_it_the_more_closed_counts(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    content, *_ = await sent(
        territory,
        attending.caller,
        document(territory, patient, CONTENT),
        document(territory, patient, CONTENT, **label("SENS")),
    )
    later, _ = await sent(territory, attending.caller, document(territory, patient, CONTENT))
    await territory.create(attending.caller, document(territory, patient, later, **label("SENS")))

    assert not await territory.sees(nurse.caller, content)
    assert not await territory.sees(nurse.caller, later)


async def test_a_content_that_a_document_gets_later_is_as_closed(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    first, held = await sent(territory, attending.caller, document(territory, patient, CONTENT))
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": held}}]}
    await territory.create(territory.system, territory.consent(patient, "masking", masking))
    second, _ = await sent(territory, attending.caller, document(territory, patient, CONTENT))

    attachment = {"contentType": "text/plain", "url": second}
    assert (await territory.change(attending.caller, held, content=[{"attachment": attachment}])).status == 200

    assert [await territory.sees(nurse.caller, one) for one in (held, first, second)] == [False, False, False]


async def test_a_former_document_still_closes_its_content(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    content, held = await sent(territory, attending.caller, document(territory, patient, CONTENT, **label("SENS")))

    other = {"contentType": "text/plain", "data": "eA=="}
    assert (await territory.change(territory.system, held, content=[{"attachment": other}])).status == 200

    assert not await territory.sees(nurse.caller, content)


async def test_what_is_withheld_from_the_person_is_withheld_in_its_content(territory: Any) -> None:
    attending, patient = await attended(territory)
    me = await territory.as_oneself(patient.reference)
    content, held = await sent(territory, attending.caller, document(territory, patient, CONTENT, **label("PROT")))
    shown, _ = await sent(territory, attending.caller, document(territory, patient, CONTENT))

    assert [await territory.sees(me, one) for one in (held, content, shown)] == [False, False, True]


async def test_a_label_that_comes_later_closes_the_former_versions(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))

    assert (await territory.change(attending.caller, item, **label("SENS"))).status == 200

    for hidden in (item, f"{item}/_history/1", f"{item}/_history"):
        assert not await territory.sees(nurse.caller, hidden)
        assert await territory.sees(attending.caller, hidden)


async def test_without_the_holders_the_content_is_open(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(contents, "holders", lambda binary, others: [])
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)

    content, held = await sent(territory, attending.caller, document(territory, patient, CONTENT, **label("SENS")))

    assert [await territory.sees(nurse.caller, one) for one in (held, content)] == [False, True]


def alone(governing: str) -> Tree:
    return {"resourceType": "Binary", "contentType": "text/plain", "data": "U0VDUkVU",
            "securityContext": {"reference": governing}}  # fmt: skip


async def test_whose_a_content_is_does_not_say_that_it_is_an_identity(territory: Any) -> None:
    """Software sends a report's PDF with the person as its context, before the document that holds it."""
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    secretary = await territory.person("secretary", acts_for=gp.role)
    patient = await territory.patient(gp, aide)
    relative = await territory.create(gp.caller, territory.item_of(patient, "RelatedPerson"))

    for whose in (patient.reference, relative):
        content = await territory.create(gp.caller, alone(whose))
        assert await territory.sees(gp.caller, content)
        assert not await territory.sees(secretary.caller, content)
        assert not await territory.sees(aide.caller, content)
    assert await territory.sees(aide.caller, patient.reference)


async def test_a_content_stays_as_closed_as_what_it_says_whatever_refers_to_it_besides(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    closed = await territory.create(attending.caller, document(territory, patient, "urn:x", **label("PSY")))
    content = await territory.create(attending.caller, alone(closed))
    assert not await territory.sees(nurse.caller, content)

    said = territory.item_of(patient, "Communication", payload=[{"contentReference": {"reference": content}}])
    await territory.create(attending.caller, said)

    assert not await territory.sees(nurse.caller, content)
    assert await territory.sees(attending.caller, content)


async def test_a_content_is_as_masked_as_what_it_says(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, document(territory, patient, "urn:x"))
    before = await territory.create(attending.caller, alone(item))
    assert await territory.sees(nurse.caller, before)
    mask = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": item}}]}
    await territory.create(attending.caller, territory.consent(patient, "masking", mask))
    after = await territory.create(attending.caller, alone(item))

    for content in (before, after):
        assert not await territory.sees(nurse.caller, content)
        assert await territory.sees(attending.caller, content)
