"""What is sensitive is named to nobody who may not know of it, by whatever refers to it, on whatever path: neither its id nor
the words beside it."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from liaison.auth.access import reclassifying
from liaison.fhir.model import subset
from liaison.fhir.store import store

from .pieces import label, moment

Tree = dict[str, Any]
SECRET = "RESULTAT-RESERVE"
NARRATIVE: Tree = {
    "status": "additional",
    "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{SECRET}</div>',
}


def ref(item: str) -> Tree:
    return {"reference": item, "display": SECRET}


REFERRING: dict[str, Callable[[str, str, str], Tree]] = {
    "DiagnosticReport.result": lambda item, patient, by: {"status": "final", "code": {"text": "x"}, "result": [ref(item)]},
    "List.entry.item": lambda item, patient, by: {
        "status": "current", "mode": "working", "entry": [{"item": ref(item)}, {"item": {"reference": patient}}]
    },
    "Composition.section.entry": lambda item, patient, by: {
        "status": "final", "type": {"text": "x"}, "date": moment(), "title": "x", "author": [{"reference": by}],
        "section": [
            {"title": "Biologie", "text": NARRATIVE, "entry": [ref(item)]},
            {"title": "Suivi", "text": NARRATIVE, "entry": [{"reference": patient}]},
        ],
    },
    "Observation.derivedFrom": lambda item, patient, by: {
        "status": "final", "code": {"text": "x"}, "derivedFrom": [ref(item)]
    },
    "Observation.hasMember": lambda item, patient, by: {
        "status": "final", "code": {"text": "x"}, "hasMember": [ref(item), ref(f"{item}/_history/1")]
    },
    "MedicationRequest.supportingInformation": lambda item, patient, by: {
        "status": "active", "intent": "order", "medicationCodeableConcept": {"text": "x"},
        "supportingInformation": [ref(item)], "reasonReference": [ref(item)],
    },
    "QuestionnaireResponse.item.answer": lambda item, patient, by: {
        "status": "completed", "item": [{"linkId": "1", "answer": [{"valueReference": ref(item)}]}]
    },
    "Task.focus": lambda item, patient, by: {"status": "requested", "intent": "order", "focus": ref(item)},
    "CarePlan.supportingInfo": lambda item, patient, by: {
        "status": "active", "intent": "plan", "supportingInfo": [ref(item)],
        "activity": [{"outcomeReference": [ref(item)], "detail": {"status": "scheduled", "reasonReference": [ref(item)]}}],
    },
    "ServiceRequest.reasonReference": lambda item, patient, by: {
        "status": "active", "intent": "order", "reasonReference": [ref(item)]
    },
    "Condition.evidence.detail": lambda item, patient, by: {"code": {"text": "x"}, "evidence": [{"detail": [ref(item)]}]},
    "Flag.extension": lambda item, patient, by: {
        "status": "active", "code": {"text": "x"}, "extension": [{"url": "urn:x", "valueReference": ref(item)}]
    },
    "Flag.contained": lambda item, patient, by: {
        "status": "active", "code": {"text": "x"},
        "contained": [{"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "subject": ref(item)}],
        "extension": [{"url": "urn:x", "valueReference": {"reference": "#b"}}],
    },
    "Observation.status.extension": lambda item, patient, by: {
        "status": "final", "code": {"text": "x"},
        "_status": {"extension": [{"url": "urn:x", "valueReference": ref(item)}]},
    },
    "DocumentReference.content.attachment.url": lambda item, patient, by: {
        "status": "current", "type": {"text": "x"},
        "content": [{"attachment": {"url": item, "title": SECRET, "contentType": "application/fhir+json"}}],
    },
    "Task.instantiatesUri": lambda item, patient, by: {
        "status": "requested", "intent": "order", "instantiatesUri": f"https://record.example/fhir/{item}",
        "input": [
            {"type": {"text": SECRET}, "valueUri": f"https://record.example/fhir/{item}/_history/1"},
            {"type": {"text": SECRET}, "valueUrl": item},
            {"type": {"text": SECRET}, "valueString": item},
        ],
    },
    "Communication.payload": lambda item, patient, by: {
        "status": "completed", "payload": [{"contentReference": ref(item)}], "about": [ref(item)]
    },
}  # fmt: skip
OWNED_BY = {"Task": "for"}


def referring(element: str, item: str, patient: Any, by: str) -> Tree:
    type_ = element.partition(".")[0]
    made = REFERRING[element](item, patient.reference, by)
    return {"resourceType": type_, OWNED_BY.get(type_, "subject"): {"reference": patient.reference}, **made}


async def body(territory: Any, caller: Any, path: str) -> bytes:
    answer = await territory.ask(caller, "GET", path)
    assert answer.status == 200, (path, answer.body)
    return bytes(answer.body)


def entries(*urls: str) -> Tree:
    return {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": url}} for url in urls],
    }


async def told(territory: Any, caller: Any, naming: str, patient: Any) -> dict[str, bytes]:
    """All that the service says of a resource, by path."""
    type_, _, id_ = naming.partition("/")
    asked = {
        "read": naming,
        "vread": f"{naming}/_history/1",
        "history": f"{naming}/_history",
        "history of the type": f"{type_}/_history",
        "search": f"{type_}?patient={patient.reference}",
        "search by id": f"{type_}?_id={id_}",
        "include": f"Patient?_id={patient.id}&_revinclude=*",
        "everything": f"{patient.reference}/$everything",
    }
    if type_ != "Task":  # in no compartment of a Patient
        asked["compartment"] = f"{patient.reference}/{type_}"
    found = {name: await body(territory, caller, path) for name, path in asked.items()}
    batch = await territory.ask(caller, "POST", "", entries(naming, f"{type_}?_id={id_}"))
    assert batch.status == 200, batch.body
    assert [one["response"]["status"][:3] for one in json.loads(batch.body)["entry"]] == ["200", "200"]
    return {**found, "batch": bytes(batch.body)}


async def team_of(territory: Any, *codes: str) -> tuple[Any, ...]:
    people = [await territory.person(code) for code in codes]
    return (*people, await territory.patient(*people))


@pytest.mark.parametrize("element", REFERRING)
async def test_neither_its_id_nor_its_words_are_told_on_any_path(territory: Any, element: str) -> None:
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, **territory.vital(**label("SENS"))))
    assert not await territory.sees(nurse.caller, item)
    tree = {**referring(element, item, patient, gp.role), "text": NARRATIVE}
    naming = await territory.create(gp.caller, tree)
    id_ = item.partition("/")[2].encode()

    for path, answer in (await told(territory, nurse.caller, naming, patient)).items():
        assert naming.partition("/")[2].encode() in answer, path
        assert SECRET.encode() not in answer, path
        assert id_ not in answer, path
    for path, answer in (await told(territory, gp.caller, naming, patient)).items():
        assert SECRET.encode() in answer, path
        assert id_ in answer, path

    cut = json.loads(await body(territory, nurse.caller, naming))
    assert subset.subsetted(cut)
    checked = await territory.ask(nurse.caller, "POST", f"{tree['resourceType']}/$validate", cut)
    assert checked.status == 200, checked.body
    assert (await territory.ask(nurse.caller, "PUT", naming, {**cut, "language": "fr"})).status == 422


# By class: who does not see an item of it, and of what type it is.
CLASSES = {
    "SENS": ("nurse", "Condition"),
    "PSY": ("nurse", "Condition"),
    "MINOR": ("pharmacist", "MedicationRequest"),
    "NOTE3P": ("pharmacist", "MedicationRequest"),
    "PROT": ("nurse", "Communication"),
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("labelled", ["before", "after"])
async def test_of_each_class_whenever_it_was_labelled(territory: Any, name: str, labelled: str) -> None:
    """A label that comes later is followed, in former versions too; and one that goes."""
    role, type_ = CLASSES[name]
    gp, other, patient = await team_of(territory, "gp", role)
    plain = territory.item_of(patient, type_)
    item = await territory.create(gp.caller, {**plain, **(label(name) if labelled == "before" else {})})
    naming = await territory.create(gp.caller, referring("Communication.payload", item, patient, gp.role))
    assert (await territory.change(gp.caller, naming, language="fr")).status == 200
    if labelled == "after":
        assert SECRET.encode() in await body(territory, other.caller, naming)
        assert (await territory.change(gp.caller, item, **label(name))).status == 200

    assert not await territory.sees(other.caller, item)
    for path in (naming, f"{naming}/_history/1", f"{naming}/_history/2"):
        assert SECRET.encode() not in await body(territory, other.caller, path)
        assert item.encode() not in await body(territory, other.caller, path)
        assert SECRET.encode() in await body(territory, gp.caller, path)

    assert (await territory.change(territory.system, item, meta=None)).status == 200
    assert await territory.sees(other.caller, item)
    for path in (naming, f"{naming}/_history/1"):
        assert SECRET.encode() in await body(territory, other.caller, path)
        assert not subset.subsetted(json.loads(await body(territory, other.caller, path)))


async def test_what_is_withheld_from_the_patient_is_not_named_to_them(territory: Any) -> None:
    gp, patient = await team_of(territory, "gp")
    mine = await territory.as_oneself(patient.reference)
    held = {"meta": {"security": [{"system": "https://liaison.example/fhir/CodeSystem/visibility", "code": "held"}]}}
    item = await territory.create(gp.caller, {**territory.item_of(patient, "Condition"), **held})
    naming = await territory.create(gp.caller, referring("CarePlan.supportingInfo", item, patient, gp.role))

    assert SECRET.encode() not in await body(territory, mine, naming)
    assert SECRET.encode() in await body(territory, gp.caller, naming)


async def test_what_is_ordinary_stays_named_beside_it(territory: Any) -> None:
    """To whoever does not see that either: what is not sensitive is looked at nowhere, marked or not."""
    gp, pharmacist, patient = await team_of(territory, "gp", "pharmacist")
    ordinary = await territory.create(gp.caller, territory.item_of(patient, "Condition"))
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition", **label("MINOR")))
    tree = {**territory.item_of(patient, "Communication"), "about": [ref(item), {"reference": ordinary}]}
    naming = await territory.create(gp.caller, tree)

    assert not await territory.sees(pharmacist.caller, ordinary)
    cut = json.loads(await body(territory, pharmacist.caller, naming))
    assert cut["about"] == [{"reference": ordinary}]
    assert cut["subject"] == {"reference": patient.reference}


@pytest.mark.parametrize("closes", ["encounter", "label"])
async def test_what_is_closed_by_what_happened_around_it_is_not_named_either(territory: Any, closes: str) -> None:
    """Its own codes and labels stay as they were: the encounter is labelled, or the item is moved into a psychiatric one."""
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    stay = await territory.item(patient, "Encounter", **(label("PSY") if closes == "encounter" else {}))
    within = {"encounter": {"reference": stay}} if closes == "label" else {}
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition", **within))
    naming = await territory.create(gp.caller, referring("ServiceRequest.reasonReference", item, patient, gp.role))
    assert SECRET.encode() in await body(territory, nurse.caller, naming)

    if closes == "encounter":
        assert (await territory.change(territory.system, item, encounter={"reference": stay})).status == 200
    else:
        assert (await territory.change(territory.system, stay, **label("PSY"))).status == 200

    assert not await territory.sees(nurse.caller, item)
    assert SECRET.encode() not in await body(territory, nurse.caller, naming)
    assert item.encode() not in await body(territory, nurse.caller, naming)


async def test_written_together_in_one_transaction(territory: Any) -> None:
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    trees = {
        "urn:uuid:0b3e6b1e-0000-4000-8000-000000000001": referring(
            "DiagnosticReport.result", "urn:uuid:0b3e6b1e-0000-4000-8000-000000000002", patient, gp.role
        ),
        "urn:uuid:0b3e6b1e-0000-4000-8000-000000000002": territory.item_of(patient, **label("SENS")),
    }
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": url, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        for url, tree in trees.items()
    ]}  # fmt: skip
    answer = await territory.ask(gp.caller, "POST", "", bundle)
    assert answer.status == 200, answer.body
    naming, item = ("/".join(one["response"]["location"].split("/")[-4:-2]) for one in json.loads(answer.body)["entry"])

    assert SECRET.encode() not in await body(territory, nurse.caller, naming)
    assert item.encode() not in await body(territory, nurse.caller, naming)


async def test_a_deleted_item_stays_unnamed(territory: Any) -> None:
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition", **label("SENS")))
    naming = await territory.create(gp.caller, referring("ServiceRequest.reasonReference", item, patient, gp.role))
    assert (await territory.ask(gp.caller, "DELETE", item)).status == 204

    assert SECRET.encode() not in await body(territory, nurse.caller, naming)


async def test_the_provenance_that_the_service_adds_names_no_item_that_one_does_not_see(territory: Any) -> None:
    """An entry of somebody else in psychiatry, amended by who is of the subteam and then is not."""
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    stay = await territory.item(patient, "Encounter", **label("PSY"))
    item = await territory.create(
        territory.system, territory.item_of(patient, "Condition", encounter={"reference": stay})
    )
    assert (await territory.change(territory.system, item, recordedDate=moment())).status == 200
    own = {
        "resourceType": "Provenance", "target": [ref(item)], "recorded": moment(), "agent": [{"who": {"reference": gp.role}}]
    }  # fmt: skip
    await territory.create(territory.system, own)

    answer = await body(territory, nurse.caller, f"{patient.reference}/$everything")
    assert item.encode() not in answer
    assert SECRET.encode() not in answer


async def test_a_patch_loses_nothing_and_its_answer_tells_nothing(territory: Any) -> None:
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition", **label("SENS")))
    naming = await territory.create(gp.caller, referring("ServiceRequest.reasonReference", item, patient, gp.role))
    operation: Any = [{"op": "add", "path": "/language", "value": "fr"}]

    patched = await territory.ask(
        nurse.caller,
        "PATCH",
        naming,
        operation,
        content_type="application/json-patch+json",
        prefer="return=representation",
    )

    assert patched.status == 200, patched.body
    assert item.encode() not in patched.body
    assert SECRET.encode() not in patched.body
    whole = json.loads(await body(territory, gp.caller, naming))
    assert whole["language"] == "fr"
    assert whole["reasonReference"] == [ref(item)]


async def test_a_document_loses_the_copy_of_the_item_too(territory: Any) -> None:
    """A stored Bundle holds resources whole, under their addresses. One that says itself that it is sensitive closes the
    whole (test_nested); this copy does not, the item does."""
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    secret = territory.item_of(patient, "Condition", code={"text": SECRET})
    item = await territory.create(gp.caller, {**secret, **label("SENS")})
    composition = referring("Composition.section.entry", item, patient, gp.role)
    document = {
        "resourceType": "Bundle", "type": "document", "timestamp": moment(),
        "identifier": {"system": "urn:x", "value": "1"},
        "entry": [
            {"fullUrl": "urn:uuid:0b3e6b1e-0000-4000-8000-000000000001", "resource": composition},
            {"fullUrl": f"https://record.example/fhir/{item}", "resource": {**secret, "id": item.partition("/")[2]}},
        ],
    }  # fmt: skip
    holder = territory.item_of(
        patient,
        "DocumentReference",
        content=[{"attachment": {"contentType": "application/fhir+json", "url": "urn:uuid:b"}}],
    )
    sent = {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"fullUrl": url, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        for url, tree in (("urn:uuid:b", document), ("urn:uuid:h", holder))
    ]}  # fmt: skip
    answer = await territory.ask(gp.caller, "POST", "", sent)
    assert answer.status == 200, answer.body
    bundle = "/".join(json.loads(answer.body)["entry"][0]["response"]["location"].split("/")[-4:-2])

    shown = await body(territory, nurse.caller, bundle)
    assert item.encode() not in shown
    assert item.partition("/")[2].encode() not in shown
    assert SECRET.encode() not in shown
    assert SECRET.encode() in await body(territory, gp.caller, bundle)


async def test_what_is_written_while_the_label_is_being_set_is_marked_by_it(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither sees what the other has not committed: the one that comes second waits."""
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition"))
    within, on = asyncio.Event(), asyncio.Event()
    reclassify = reclassifying.reclassify

    async def held(*given: Any) -> int:
        within.set()
        await on.wait()
        return await reclassify(*given)

    monkeypatch.setattr(reclassifying, "reclassify", held)
    labelling = asyncio.create_task(territory.change(gp.caller, item, **label("SENS")))
    await within.wait()
    tree = referring("ServiceRequest.reasonReference", item, patient, gp.role)
    writing = asyncio.create_task(territory.create(gp.caller, tree))
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    while not writing.done() and not (await territory.database.reading.fetch(waiting))[0][0]:
        await asyncio.sleep(0.01)
    on.set()

    assert (await labelling).status == 200
    assert SECRET.encode() not in await body(territory, nurse.caller, await writing)


async def test_without_the_cut_it_is_told(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(store, "without", lambda tree, hidden: tree)
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, **label("SENS")))
    naming = await territory.create(gp.caller, referring("DiagnosticReport.result", item, patient, gp.role))

    assert SECRET.encode() in await body(territory, nurse.caller, naming)
