"""An update brings another classification: what was written before has the classes that it gives, in every version, once the
pass has been there; with the same classification, every row keeps what it has."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from liaison.auth.access import adopted, class_text, classify, reclassifying, regranting
from liaison.auth.access.classes import Class

from .pieces import HIV, label, moment
from .tables import PHARMACIST_READS_CLIN, adopt, regrant
from .test_masking import DENY, attended, report_of
from .test_rebuild import busy

pytestmark = pytest.mark.alone  # by what a base is classified is everybody's

PACKAGED = class_text.packaged_text()
NEW = PACKAGED.replace('"B20*", "B21*"', '"Q90*", "B20*", "B21*"', 1)
FORGETS = PACKAGED.replace('"B20*", "B21*"', '"B21*"', 1)
assert len({NEW, FORGETS, PACKAGED}) == 3
ICD = "http://hl7.org/fhir/sid/icd-10"


@pytest.fixture
def classification(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Sets what this version of the software ships."""

    def ships(text: str) -> None:
        for module in (class_text, classify):  # the one that gives it, and the one that has taken it from there
            monkeypatch.setattr(module, "packaged_text", lambda: text)
        _forget()

    yield ships
    monkeypatch.undo()
    _forget()


def _forget() -> None:
    classify.use(class_text.packaged_text())


async def classes(territory: Any) -> list[Any]:
    query = "select patient, kind, res, version, classes from version order by 1, 2, 3, 4"
    return list(map(tuple, await territory.database.reading.fetch(query)))


async def coded(territory: Any, patient: Any, code: str) -> str:
    tree = territory.item_of(patient, "Condition", code={"coding": [{"system": ICD, "code": code}]})
    return str(await territory.create(territory.system, tree))


async def test_by_the_same_classification_every_row_keeps_its_classes(territory: Any) -> None:
    """Services, authors, encounters, labels, maskings and what tells of them, Provenances, deletions."""
    *_people, patient = await busy(territory)
    attending, other = await attended(territory)
    ward = await territory.organization("Psychiatrie")
    psychiatrist = await territory.person("specialist", ward)
    mine = await territory.patient(psychiatrist, attending)
    for tree in (
        territory.item_of(mine, **territory.vital()),
        territory.item_of(mine, "Condition", **label("SENS")),
        territory.item_of(mine, "DocumentReference", author=[{"reference": psychiatrist.role}]),
        territory.item_of(mine, "Encounter", serviceProvider={"reference": ward}),
    ):
        await territory.create(psychiatrist.caller, tree)
    item = await territory.create(attending.caller, territory.item_of(other, **territory.vital()))
    assert (await territory.change(attending.caller, item, status="amended")).status == 200
    report = {"resourceType": "DiagnosticReport", "subject": {"reference": other.reference}, **report_of(item)}
    await territory.create(attending.caller, report)
    masking = {**DENY, "data": [{"meaning": "instance", "reference": {"reference": item}}]}
    await territory.create(territory.system, territory.consent(other, "masking", masking))
    gone = await territory.create(attending.caller, territory.item_of(other, **territory.vital()))
    assert (await territory.ask(attending.caller, "DELETE", gone)).status == 204
    before = await classes(territory)

    changed = []
    async with territory.database.writing.acquire() as one, one.transaction():
        for each in (patient, other, mine):
            changed.append(
                await reclassifying.reclassify(one, territory.store.vault, territory.key(each.reference).patient)
            )

    assert changed == [0, 0, 0]
    assert await classes(territory) == before
    assert len(before) > 20


async def test_a_code_that_is_sensitive_now_closes_what_was_written_before(territory: Any, classification: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    new, old = await coded(territory, patient, "Q90.9"), await coded(territory, patient, "J44.1")
    assert (await territory.change(territory.system, new, recordedDate=moment())).status == 200
    before = {one: (await territory.tree(one))["meta"] for one in (new, old)}
    assert await territory.sees(nurse.caller, new)

    classification(NEW)
    assert not (await adopted.current(territory.database)).settled
    assert await regrant(territory) >= 1

    assert (await adopted.current(territory.database)).settled
    assert [await territory.sees(nurse.caller, one) for one in (new, f"{new}/_history/1", old)] == [False, False, True]
    assert [await territory.sees(gp.caller, one) for one in (new, f"{new}/_history/1", old)] == [True, True, True]
    assert await territory.search(nurse.caller, f"Condition?patient={patient.reference}") == [old]
    assert {one: (await territory.tree(one))["meta"] for one in (new, old)} == before  # no version is added

    classification(PACKAGED)  # and back: the older version of the software runs again
    assert await regrant(territory) >= 1
    assert await territory.sees(nurse.caller, new)


async def test_what_is_no_longer_sensitive_opens_and_a_label_stays(territory: Any, classification: Any) -> None:
    nurse = await territory.person("nurse")
    patient = await territory.patient(nurse)
    by_code = await coded(territory, patient, "B20")
    labelled = await territory.create(territory.system, territory.item_of(patient, "Condition", **label("SENS")))

    classification(FORGETS)
    await regrant(territory)

    assert [await territory.sees(nurse.caller, one) for one in (by_code, labelled)] == [True, False]


async def test_facts_follow_the_classes(territory: Any, classification: Any) -> None:
    """A referral counts by a request of the clinical record alone (access.facts.task)."""
    patient = await territory.patient(await territory.person("gp"))
    await coded(territory, patient, "Q90.9")
    before = sorted(map(str, await territory.database.reading.fetch("select * from relation")))

    classification(NEW)
    await regrant(territory)

    assert sorted(map(str, await territory.database.reading.fetch("select * from relation"))) == before


async def test_without_the_pass_it_would_stay_open(
    territory: Any, classification: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fault planted: only grants are computed."""
    nurse = await territory.person("nurse")
    patient = await territory.patient(nurse)
    new = await coded(territory, patient, "Q90.9")
    classification(NEW)
    monkeypatch.setattr(adopted.Current, "classified", True)

    await regrant(territory)

    assert await territory.sees(nurse.caller, new)


async def test_each_record_that_changed_is_told_in_the_transaction_that_changed_it(
    territory: Any, classification: Any
) -> None:
    nurse = await territory.person("nurse")
    one, other = await territory.patient(nurse), await territory.patient(nurse)
    await coded(territory, one, "Q90.9")
    await coded(territory, other, "J44.1")
    told: list[tuple[int, int]] = []

    async def tell(connection: Any, patient: int, versions: int) -> None:
        assert connection.is_in_transaction()
        told.append((patient, versions))

    classification(NEW)
    async with territory.database.writing.acquire() as connection:
        await regranting.carry(connection, territory.store.vault, told=tell)

    assert told == [(territory.key(one.reference).patient, 1)]


async def test_a_new_table_alone_classifies_nothing_again(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await territory.patient(await territory.person("gp"))
    await regrant(territory)

    async def never(*_: Any) -> int:
        raise AssertionError("classified again")

    monkeypatch.setattr(reclassifying, "reclassify", never)
    await adopt(territory, PHARMACIST_READS_CLIN)

    assert await regrant(territory) >= 1


@pytest.mark.parametrize("by", ["Medication", "Encounter"])
async def test_what_refers_to_it_follows_a_label_that_comes_and_goes(territory: Any, by: str) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    if by == "Medication":
        order = territory.item_of(patient, "MedicationRequest", medicationReference={"reference": "urn:uuid:c"})
        del order["medicationCodeableConcept"]
        closing: Any = {"resourceType": "Medication", "code": {"text": "x"}}
        trees = {"urn:uuid:c": closing, "urn:uuid:t": order}
    else:
        closing = territory.item_of(patient, "Encounter")
        observed = territory.item_of(patient, "Condition", encounter={"reference": "urn:uuid:c"})
        trees = {"urn:uuid:c": closing, "urn:uuid:t": observed}
    entries = [
        {"fullUrl": url, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
        for url, tree in trees.items()
    ]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await territory.ask(gp.caller, "POST", "", bundle)
    assert answer.status == 200, answer.body
    closing, told = (
        "/".join(one["response"]["location"].split("/")[-4:-2]) for one in json.loads(answer.body)["entry"]
    )
    plain = await territory.item(patient, "Condition")
    assert await territory.sees(nurse.caller, told)

    assert (await territory.change(territory.system, closing, **label("PSY"))).status == 200
    assert [await territory.sees(nurse.caller, one) for one in (told, plain)] == [False, True]

    assert (await territory.change(territory.system, closing, meta=None)).status == 200
    assert await territory.sees(nurse.caller, told)


async def test_what_an_earlier_version_stored_without_looking_into_it_is_closed_by_the_pass(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    inner = {"resourceType": "Condition", "id": "c", "subject": {"reference": patient.reference}, "code": HIV}
    task = {**territory.item_of(patient, "Task"), "contained": [inner], "focus": {"reference": "#c"}}
    with monkeypatch.context() as earlier:
        earlier.setattr(classify, "_content", lambda held: Class(0))
        earlier.setattr(classify, "_READING", "6")
        await regrant(territory)
        item = await territory.create(gp.caller, task)
        assert (await territory.change(gp.caller, item, priority="urgent")).status == 200
        assert await territory.sees(nurse.caller, item)

    assert not (await adopted.current(territory.database)).settled
    assert await regrant(territory) >= 1

    assert [await territory.sees(nurse.caller, one) for one in (item, f"{item}/_history/1")] == [False, False]
    assert await territory.sees(gp.caller, f"{item}/_history/1")
