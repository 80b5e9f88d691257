"""The whole search, on a real database: what is found, in which order, and what each parameter type means."""

from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, TooCostly
from liaison.fhir.search import decide
from liaison.fhir.store.contract import Key

from .conftest import BASE, Territory

LOINC = "http://loinc.org"


async def test_newest_observations_of_a_code_come_first(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    old = await territory.observation(patient, at="2026-01-01")
    new = await territory.observation(patient, at="2026-02-01T08:00:00+01:00")
    await territory.observation(patient, code="8310-5")

    found = await territory.search("Observation", f"patient={territory.id(patient)}&code=8867-4&_sort=-date")

    assert found.ids == [territory.id(new), territory.id(old)]
    assert found.total == 2
    assert {one.key for one in found.answer.disclosed} == {old, new}
    assert all(one.grants for one in found.answer.disclosed)


async def test_stored_bytes_are_answered_unchanged(team: tuple[Territory, Key]) -> None:
    from liaison.fhir.model import Number

    territory, patient = team
    await territory.observation(patient, valueQuantity={"value": Number("72.50"), "unit": "bpm"})
    found = await territory.search("Observation", f"patient={territory.id(patient)}")
    assert b'"value":72.50,' in found.answer.body


VITAL: dict[str, Any] = {
    "category": [{"coding": [{"system": "http://x/category", "code": "vital-signs", "display": "Vital Signs"}]}],
    "code": {"coding": [{"system": LOINC, "code": "8867-4", "display": "Heart rate"}], "text": "Fréquence cardiaque"},
    "identifier": [
        {"system": "urn:a", "value": "1|2", "type": {"coding": [{"system": "http://t", "code": "PLAC"}]}},
    ],
    "valueQuantity": {"value": 72, "unit": "battements", "system": "http://unitsofmeasure.org", "code": "/min"},
    "effectiveDateTime": "2026-01-05T10:00:00+01:00",
    "issued": "2026-01-05T10:00:00.000+01:00",
    "performer": [{"identifier": {"system": "urn:rpps", "value": "10001"}}],
    "component": [
        {"code": {"coding": [{"system": LOINC, "code": "8480-6"}]}, "valueQuantity": {"value": 130, "unit": "mmHg"}},
        {"code": {"coding": [{"system": LOINC, "code": "8462-4"}]}, "valueQuantity": {"value": 80, "unit": "mmHg"}},
    ],
    "note": [{"text": "x"}],
}
OTHER: dict[str, Any] = {
    "status": "preliminary",
    "code": {"text": "Sans code"},
    "effectivePeriod": {"start": "2025-06", "end": "2025-08"},
    "valueString": "Élan vital",
}

CASES = [
    # token
    ("code=8867-4", "V"),
    ("code=http://loinc.org|8867-4", "V"),
    ("code=http://other|8867-4", ""),
    ("code=|8867-4", ""),
    ("code=http://loinc.org|", "V"),
    ("code=8867-4,1234-5", "V"),
    ("code=8867-4&status=final", "V"),
    ("code=8867-4&status=preliminary", ""),
    ("code=8867-A", ""),
    ("status=|final", "V"),
    ("code:not=8867-4", "O"),
    ("code:text=freq", "V"),
    ("code:text=heart", "V"),
    ("code:text=sans", "O"),
    ("code:missing=true", ""),
    ("code:missing=false", "VO"),
    ("category:missing=true", "O"),
    ("category:missing=false", "V"),
    ("identifier=urn:a|1\\|2", "V"),
    ("identifier:of-type=http://t|PLAC|1\\|2", "V"),
    ("identifier:of-type=http://t|FILL|1\\|2", ""),
    # date
    ("date=2026-01-05", "V"),
    ("date=2026-01-05T09:00:00Z", "V"),
    ("date=2026-01-05T10:00", "V"),
    ("date=2025-07", ""),
    ("date=2025", "O"),
    ("date=ge2026", "V"),
    ("date=gt2025-07", "VO"),
    ("date=sa2025-07", "V"),
    ("date=lt2025-07-01", "O"),
    ("date=eb2025-07-01", ""),
    ("date=le2026-01-05", "VO"),
    ("date=ne2025", "V"),
    ("date=ge2025-01&date=lt2026", "O"),
    ("date=ap2026-01-06", "V"),
    ("date:missing=false", "VO"),
    ("_lastUpdated=ge2026", "VO"),
    ("_lastUpdated=lt2026", ""),
    ("_lastUpdated=ne2020", "VO"),
    # quantity, string, composite
    ("value-quantity=72", "V"),
    ("value-quantity=72||battements", "V"),
    ("value-quantity=72|http://unitsofmeasure.org|/min", "V"),
    ("value-quantity=72|http://unitsofmeasure.org|%25", ""),
    ("value-quantity=gt72", ""),
    ("value-quantity=ge72", "V"),
    ("value-quantity=lt100", "V"),
    ("value-quantity=7.2e1", "V"),
    ("value-quantity=ap70", "V"),
    ("value-string=elan", "O"),
    ("value-string=vital", ""),
    ("value-string:contains=VITAL", "O"),
    ("value-string:exact=Élan vital", "O"),
    ("value-string:exact=Elan vital", ""),
    ("component-code-value-quantity=http://loinc.org|8480-6$130", "V"),
    ("component-code-value-quantity=http://loinc.org|8480-6$80", ""),
    ("code-value-quantity=8867-4$ge70", "V"),
    # reference
    ("performer:identifier=urn:rpps|10001", "V"),
    ("performer:identifier=10002", ""),
    ("encounter:missing=true", "VO"),
    ("subject:missing=true", ""),
    ("patient:missing=false", "VO"),
    # several: AND between parameters, OR between commas
    ("code=8867-4,x&value-quantity=lt60,gt70", "V"),
]


@pytest.fixture
async def pair(team: tuple[Territory, Key]) -> tuple[Territory, Key, dict[str, str]]:
    territory, patient = team
    subject = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    made = {}
    for name, tree in (("V", VITAL), ("O", OTHER)):
        key = await territory.add({"resourceType": "Observation", "status": "final", **subject, **tree}, patient)
        made[territory.id(key)] = name
    return territory, patient, made


async def test_each_criterion_finds_what_r4_says_of_one_patient_or_of_all(
    pair: tuple[Territory, Key, dict[str, str]],
) -> None:
    territory, patient, names = pair
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    for query, wanted in CASES:
        for scope in (f"patient={territory.id(patient)}&", ""):
            found = await territory.search("Observation", f"{scope}{query.replace('+', '%2B')}&_total=accurate")
            assert "".join(sorted(names[one] for one in found.ids)) == "".join(sorted(wanted)), (scope, query)
            assert found.total == len(wanted), (scope, query)
            counted = await territory.search("Observation", f"{scope}{query}&_summary=count")
            assert (counted.total, counted.ids) == (len(wanted), []), (scope, query)


async def test_ways_to_name_the_patient(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, patient, names = pair
    id_ = territory.id(patient)
    for query in (
        f"patient={id_}",
        f"patient=Patient/{id_}",
        f"patient={BASE}/Patient/{id_}",
        f"subject={id_}",
        f"subject=Patient/{id_}",
        f"subject:Patient={id_}",
        f"patient={id_},{'0' * 32}",
    ):
        assert len((await territory.search("Observation", query)).ids) == 2, query
    observation = next(iter(names))
    for query in (
        f"patient={observation}",
        f"subject=Group/{id_}",
        f"subject=http://elsewhere/Patient/{id_}",
        "patient=1",
    ):
        assert (await territory.search("Observation", query)).ids == [], query


async def test_id_finds_one_resource(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, patient, names = pair
    one, two = names
    assert (await territory.search("Observation", f"_id={one}")).ids == [one]
    assert sorted((await territory.search("Observation", f"_id={one},{two},nothing")).ids) == sorted([one, two])
    assert (await territory.search("Observation", f"_id:not={one}")).ids == [two]
    assert (await territory.search("Observation", f"_id={territory.id(patient)}")).ids == []
    assert (await territory.search("Patient", f"_id={territory.id(patient)}")).ids == [territory.id(patient)]


async def test_people_are_found_by_name_and_birth_date(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    other = await territory.patient(name=[{"family": "O’Brien-Lefevre", "given": ["Jean Luc"]}], birthDate="1950-12-31")
    await territory.grant(other.patient, 1)
    one, two = territory.id(patient), territory.id(other)
    for query, wanted in (
        ("family=lefev", {one, two}),
        ("family=LEFÈVRE", {one, two}),
        ("family=fevre", set()),
        ("family:contains=lefev", {one, two}),
        ("family:exact=Lefèvre", {one}),
        ("family:exact=Lefevre", set()),
        ("given=jean-luc", {two}),
        ("name=zoe", {one}),
        ("birthdate=1948-03-02", {one}),
        ("birthdate=ge1949", {two}),
        ("birthdate:missing=false", {one, two}),
        ("family=lefevre&birthdate=1948", {one}),
        ("family=lefevre&birthdate=1949", set()),
        ("gender:missing=true", {one, two}),
    ):
        for _ in range(2):  # the second time from the values already extracted
            assert set((await territory.search("Patient", query)).ids) == wanted, query


async def test_the_directory_is_searched_like_the_rest(territory: Territory) -> None:
    nurse = await territory.add(
        {
            "resourceType": "Practitioner",
            "identifier": [{"system": "urn:rpps", "value": "1"}],
            "name": [{"family": "Petit", "given": ["Anne"]}],
        }
    )
    await territory.add({"resourceType": "Practitioner", "name": [{"family": "Grand"}]})
    for query in ("identifier=urn:rpps|1", "name=petit", "given=anne", f"_id={territory.id(nurse)}"):
        found = await territory.search("Practitioner", query)
        assert found.ids == [territory.id(nurse)], query
    assert len((await territory.search("Practitioner")).ids) == 2
    assert (await territory.search("Practitioner", "_sort=family")).ids[-1] == territory.id(nurse)


async def test_a_page_of_nothing_but_its_number(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, _patient, _ = pair
    for query in ("_summary=count", "_count=0"):
        found = await territory.search("Observation", query)
        assert (found.total, found.ids, found.next) == (2, [], None)


async def test_the_total_is_left_out_when_asked(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, *_ = pair
    assert (await territory.search("Observation", "_total=none")).total is None
    assert (await territory.search("Observation", "_count=1")).total is None
    assert (await territory.search("Observation", "_count=1&_total=accurate")).total == 2
    assert (await territory.search("Observation", "_count=1&_total=estimate&code:text=s")).total == 1


async def test_lenient_handling_reports_what_it_ignores(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, *_ = pair
    with pytest.raises(BadRequest, match="nonsense"):
        await territory.search("Observation", "nonsense=1&code=8867-4")
    found = await territory.search("Observation", "nonsense=1&code=8867-4", lenient=True)
    assert len(found.ids) == 1
    [outcome] = found.outcomes
    assert [issue["severity"] for issue in outcome["issue"]] == ["warning"]
    assert "nonsense" in outcome["issue"][0]["diagnostics"]
    assert "nonsense" not in found.self_


async def test_deleted_and_replaced_versions_are_not_found(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    key = await territory.observation(patient, code="1")
    gone = await territory.observation(patient, code="1")
    opened = await territory.store.read(territory.caller, key)
    assert opened is not None
    from liaison.fhir import model

    tree = model.read(opened.body)
    tree["code"]["coding"][0]["code"] = "2"
    await territory.write(territory.change(tree, key, version=2))
    await territory.delete(gone, 2)
    assert (await territory.search("Observation", "code=1")).ids == []
    assert (await territory.search("Observation", "code=2")).ids == [territory.id(key)]
    assert (await territory.search("Observation", f"_id={territory.id(gone)}")).ids == []


async def test_sorting_by_anything_keeps_every_row(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    one = territory.id(await territory.observation(patient, code="b", at="2026-01-01"))
    two = territory.id(await territory.observation(patient, code="a", at="2026-01-02"))
    bare = territory.id(await territory.observation(patient, code="c", at=None))
    for sort, wanted in (
        ("date", [bare, one, two]),
        ("-date", [two, one, bare]),
        ("_lastUpdated", [one, two, bare]),
        ("-_lastUpdated", [bare, two, one]),
        ("code", [two, one, bare]),
        ("-code", [bare, one, two]),
        ("_id", sorted([one, two, bare])),
        ("-_id", sorted([one, two, bare], reverse=True)),
        ("status,-code", [bare, one, two]),
        ("value-date,date", [bare, one, two]),
    ):
        assert (await territory.search("Observation", f"_sort={sort}")).ids == wanted, sort
        assert await territory.all_pages("Observation", f"_sort={sort}&_count=1") == wanted, sort
        assert (
            await territory.all_pages("Observation", f"_sort={sort}&_count=1&code:text:missing=x".partition("&code")[0])
            == wanted
        )


async def test_a_search_that_would_open_too_many_bodies_says_what_to_add(
    pair: tuple[Territory, Key, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, *_ = pair
    monkeypatch.setattr(decide.Budget.__init__, "__defaults__", (1,))
    with pytest.raises(TooCostly, match="Add a patient"):
        await territory.search("Observation", "value-string:contains=x")
    assert len((await territory.search("Observation", "status=final,preliminary")).ids) == 2


async def test_a_compartment_holds_what_belongs_to_the_patient(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, patient, names = pair
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    await territory.observation(other)
    found = await territory.search("Observation", "_count=1", compartment=f"Patient/{territory.id(patient)}")
    assert found.next is not None
    assert f"Patient/{territory.id(patient)}/Observation" in found.self_
    rest = await territory.search("Observation", found.next_query, compartment=f"Patient/{territory.id(patient)}")
    assert {*found.ids, *rest.ids} == set(names)
    assert (await territory.search("Observation", "", compartment=f"Patient/{next(iter(names))}")).ids == []
    with pytest.raises(BadRequest, match="compartment"):
        await territory.search("Practitioner", "", compartment=f"Patient/{territory.id(patient)}")
