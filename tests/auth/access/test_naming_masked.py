"""What is masked is named to nobody who may not know of it: neither its id nor the words beside it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from liaison.fhir.model import subset
from liaison.fhir.store import store

from .test_masking import DENY, MASQUE, attended

Tree = dict[str, Any]
SECRET = "SEROLOGIE-SECRETE"


def ref(item: str) -> Tree:
    return {"reference": item, "display": SECRET}


NAMING: dict[str, Callable[[str], Tree]] = {
    "Condition": lambda item: {"evidence": [{"detail": [ref(item)]}]},
    "ServiceRequest": lambda item: {"reasonReference": [ref(item)]},
    "Observation": lambda item: {"focus": [ref(item)]},
    "Task": lambda item: {"focus": ref(item), "input": [{"type": {"text": "x"}, "valueReference": ref(item)}]},
    "CarePlan": lambda item: {"supportingInfo": [ref(item), ref(f"{item}/_history/1")]},
    "AllergyIntolerance": lambda item: {"extension": [{"url": "urn:x", "valueReference": ref(item)}]},
    "Flag": lambda item: {
        "contained": [{"resourceType": "Basic", "id": "b", "code": {"text": "x"}, "subject": ref(item)}],
        "extension": [{"url": "urn:of", "valueReference": {"reference": "#b"}}],
    },
}


async def masked(territory: Any, item: str, patient: Any) -> str:
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": item}}]}
    return str(await territory.create(territory.system, territory.consent(patient, "masking", masking)))


async def body(territory: Any, caller: Any, path: str) -> bytes:
    answer = await territory.ask(caller, "GET", path)
    assert answer.status == 200, (path, answer.body)
    return bytes(answer.body)


async def settled(territory: Any, type_: str, written: str) -> tuple[Any, ...]:
    """(attending, nurse, patient, the masked item, what names it, the masking)."""
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))
    narrative = {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{SECRET}</div>'}
    tree = {**territory.item_of(patient, type_), **NAMING[type_](item), "text": narrative}
    if written == "before":
        naming = await territory.create(attending.caller, tree)
        consent = await masked(territory, item, patient)
    else:
        consent = await masked(territory, item, patient)
        naming = await territory.create(attending.caller, tree)
    return attending, nurse, patient, item, naming, consent


def validators(answer: Any) -> set[str]:
    return {name for name, _ in answer.headers} & {"etag", "last-modified"}


async def test_a_copy_of_all_of_it_does_not_stand_for_whoever_is_shown_a_part(territory: Any) -> None:
    """RFC 9110 §13.1.2: 304 is for the same representation. Nor does a part have a validator that the whole would match."""
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, territory.item_of(patient, **territory.vital()))
    naming = await territory.create(attending.caller, {**territory.item_of(patient, "Task"), **NAMING["Task"](item)})
    whole = await territory.ask(nurse.caller, "GET", naming)
    [etag] = [value for name, value in whole.headers if name == "etag"]
    [date] = [value for name, value in whole.headers if name == "last-modified"]
    kept: list[Tree] = [{"if_none_match": etag}, {"if_none_match": "*"}, {"if_modified_since": date}]
    for copy in kept:
        assert (await territory.ask(nurse.caller, "GET", naming, **copy)).status == 304

    consent = await masked(territory, item, patient)

    for path in (naming, f"{naming}/_history/1"):
        for copy in ({}, *kept):
            answer = await territory.ask(nurse.caller, "GET", path, **copy)
            assert (answer.status, validators(answer)) == (200, set())
            assert SECRET.encode() not in answer.body
    for copy in kept:
        assert (await territory.ask(attending.caller, "GET", naming, **copy)).status == 304
    assert (await territory.change(territory.system, consent, status="inactive")).status == 200
    assert (await territory.ask(nurse.caller, "GET", naming)).body == whole.body


@pytest.mark.parametrize("written", ["before", "after"])
@pytest.mark.parametrize("type_", NAMING)
async def test_neither_its_id_nor_its_words_are_told(territory: Any, type_: str, written: str) -> None:
    attending, nurse, patient, item, naming, consent = await settled(territory, type_, written)
    id_ = item.partition("/")[2].encode()

    for path in (
        naming,
        f"{naming}/_history/1",
        f"{naming}/_history",
        f"{type_}?patient={patient.reference}",
        f"{patient.reference}/$everything",
    ):
        told = await body(territory, nurse.caller, path)
        assert naming.partition("/")[2].encode() in told
        assert SECRET.encode() not in told
        assert id_ not in told
    whole = await body(territory, attending.caller, naming)
    assert SECRET.encode() in whole
    assert id_ in whole
    cut = json.loads(await body(territory, nurse.caller, naming))
    assert subset.subsetted(cut)
    assert (await territory.ask(nurse.caller, "POST", f"{type_}/$validate", cut)).status == 200

    assert (await territory.change(territory.system, consent, status="inactive")).status == 200
    assert await body(territory, nurse.caller, naming) == whole


async def test_without_the_cut_it_is_told(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(store, "without", lambda tree, hidden: tree)
    _, nurse, _, item, naming, _ = await settled(territory, "Condition", "after")

    assert item.partition("/")[2].encode() in await body(territory, nurse.caller, naming)


async def test_what_is_cut_is_not_written_back_and_a_patch_loses_nothing(territory: Any) -> None:
    attending, nurse, _, item, naming, _ = await settled(territory, "Condition", "before")
    cut = json.loads(await body(territory, nurse.caller, naming))

    assert (await territory.ask(nurse.caller, "PUT", naming, {**cut, "language": "fr"})).status == 422
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
    assert item.partition("/")[2].encode() not in patched.body
    assert SECRET.encode() not in patched.body
    whole = json.loads(await body(territory, attending.caller, naming))
    assert whole["language"] == "fr"
    assert whole["evidence"] == [{"detail": [ref(item)]}]


async def test_a_list_loses_the_entry_and_not_the_others(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    one, other = [
        await territory.create(attending.caller, territory.item_of(patient, **territory.vital())) for _ in range(2)
    ]
    tree = {
        "resourceType": "List",
        "status": "current",
        "mode": "working",
        "subject": {"reference": patient.reference},
        "entry": [{"item": ref(one)}, {"item": {"reference": other}}],
    }
    listed = await territory.create(attending.caller, tree)
    await masked(territory, one, patient)

    assert json.loads(await body(territory, nurse.caller, listed))["entry"] == [{"item": {"reference": other}}]
    assert len(json.loads(await body(territory, attending.caller, listed))["entry"]) == 2


async def test_an_item_masked_by_its_own_label_is_hidden_in_each_version_with_what_tells_of_it(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    item = await territory.create(attending.caller, territory.item_of(patient, "DocumentReference"))
    naming = await territory.create(
        attending.caller, {**territory.item_of(patient, "Condition"), **NAMING["Condition"](item)}
    )
    vital = territory.item_of(patient, **territory.vital())
    labelled = await territory.create(attending.caller, {**vital, **MASQUE})
    derived = await territory.create(attending.caller, {**vital, "derivedFrom": [ref(labelled)]})

    assert (await territory.change(attending.caller, item, **MASQUE)).status == 200

    for hidden in (item, f"{item}/_history/1", labelled, derived):
        assert not await territory.sees(nurse.caller, hidden)
        assert await territory.sees(attending.caller, hidden)
    assert SECRET.encode() not in await body(territory, nurse.caller, naming)
    assert (await territory.change(attending.caller, item, meta=None)).status == 200
    assert await territory.sees(nurse.caller, item)
    assert await territory.sees(nurse.caller, f"{item}/_history/1")
    assert not await territory.sees(nurse.caller, f"{item}/_history/2")  # which says that it is masked
    assert SECRET.encode() in await body(territory, nurse.caller, naming)


async def test_lifting_one_masking_lifts_no_other(territory: Any) -> None:
    nurse = await territory.person("nurse")
    attending, patient = await attended(territory, nurse)
    vital = territory.item_of(patient, **territory.vital())
    item = await territory.create(attending.caller, vital)
    labelled = await territory.create(attending.caller, {**vital, **MASQUE, "derivedFrom": [ref(item)]})
    consent = await masked(territory, item, patient)

    assert (await territory.change(territory.system, consent, status="inactive")).status == 200

    assert await territory.sees(nurse.caller, item)
    assert not await territory.sees(nurse.caller, labelled)
