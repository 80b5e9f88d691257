"""A search over several types: what is common, one order, cursors, totals; a type outside the scopes gives nothing."""

from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.store.contract import Key

from .conftest import BASE, Territory


@pytest.fixture
async def record(team: tuple[Territory, Key]) -> tuple[Territory, Key, list[Key]]:
    """A patient with observations, conditions and an encounter on alternating days, oldest first."""
    territory, patient = team
    subject = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    keys = []
    for day in range(1, 8):
        at = f"2026-01-0{day}T10:00:00Z"
        match day % 3:
            case 0:
                encounter = {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}}
                keys.append(await territory.add({**encounter, "period": {"start": at}, **subject}, patient))
            case 1:
                keys.append(await territory.observation(patient, at=at))
            case _:
                code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
                condition = {"resourceType": "Condition", "code": code, "onsetDateTime": at, **subject}
                keys.append(await territory.add(condition, patient))
    return territory, patient, keys


async def test_types_are_one_list_in_one_order(record: tuple[Territory, Key, list[Key]]) -> None:
    territory, patient, keys = record
    newest = [territory.id(key) for key in reversed(keys)]
    query = f"_type=Observation,Condition,Encounter&patient={territory.id(patient)}"
    whole = await territory.search("", query)
    assert (whole.ids, whole.total, whole.next) == (newest, 7, None)
    assert whole.self_ == f"{BASE}?_type=Observation%2CCondition%2CEncounter&patient={territory.id(patient)}"
    for sort, wanted in (("", newest), ("&_sort=-_lastUpdated", newest), ("&_sort=_lastUpdated", newest[::-1])):
        for total in ("", "&_total=accurate"):
            pages = await territory.all_pages("", f"{query}&_count=2{sort}{total}")
            assert pages == wanted, (sort, total)
    first = await territory.search("", f"{query}&_count=2&_total=accurate")
    assert first.total == 7
    assert (await territory.search("", first.next_query)).total == 7, "a total is the same on every page"
    assert (await territory.search("", f"{query}&_summary=count")).total == 7


async def test_each_type_reads_a_common_parameter_its_own_way(record: tuple[Territory, Key, list[Key]]) -> None:
    territory, _, keys = record
    types = {territory.id(key): key for key in keys}
    for query, wanted in (
        ("_type=Observation,Condition&code=8867-4", 5),
        ("_type=Observation,Encounter&status=finished,final", 5),
        ("_type=Observation,Encounter&status=finished", 2),
        ("_type=Observation,Encounter,Patient", 6),
        ("_type=Condition", 2),
        ("_type=Observation,Condition&code:text=x", 0),
    ):
        found = await territory.search("", query)
        assert len(found.ids) == found.total == wanted, query
    found = await territory.search("", "_type=Observation,Condition&_sort=code&_count=2")
    assert len(found.ids) == 2
    pages = await territory.all_pages("", "_type=Observation,Condition&_sort=-code,_id&_count=2")
    assert pages == sorted(pages) and len(pages) == 5 and set(pages) <= set(types)


async def test_the_narratives_of_every_type_are_searched(record: tuple[Territory, Key, list[Key]]) -> None:
    """Types that have none (Binary, Bundle) do not stand in the way; nor in a compartment."""
    territory, patient, _ = record
    div = '<div xmlns="http://www.w3.org/1999/xhtml">Œdème du pied</div>'
    text = {"status": "generated", "div": div}
    swollen = territory.id(await territory.observation(patient, text=text))
    house = territory.id(await territory.add({"resourceType": "Location", "name": "Ici", "text": text}))
    assert sorted(await territory.all_pages("", "_text=pied&_count=1")) == sorted([swollen, house])
    assert (await territory.search("", "_text=pied AND main")).ids == []
    found = await territory.search("", "_text=pied", compartment=f"Patient/{territory.id(patient)}")
    assert found.ids == [swollen]
    with pytest.raises(BadRequest, match="Binary"):
        await territory.search("", "_type=Observation,Binary&_text=pied")


async def test_every_type_is_searched_by_what_all_have(record: tuple[Territory, Key, list[Key]]) -> None:
    territory, patient, keys = record
    nurse = await territory.add({"resourceType": "Practitioner", "name": [{"family": "Petit"}]})
    wanted = {territory.id(key) for key in (*keys, patient, nurse)}
    assert set(await territory.all_pages("", "_lastUpdated=ge2026&_count=3")) == wanted
    assert (await territory.search("", f"_id={territory.id(keys[0])},{territory.id(nurse)}")).total == 2
    for query in ("", "_count=2", "_sort=_lastUpdated"):
        with pytest.raises(BadRequest, match="_type"):
            await territory.search("", query)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("_type=Observation,Nothing", "Nothing"),
        ("_type=Observation,", "''"),
        ("_type=Observation&_type=Condition", "_type"),
        ("_type=Observation,AuditEvent", "AuditEvent"),
        ("_type=Observation,Patient&code=x", "code"),
        ("_type=Observation,Condition&_sort=value-quantity", "value-quantity"),
        ("_type=Observation,Condition&_include=Encounter:subject", "_include"),
        ("_type=Observation&nothing=x", "nothing"),
        ("_id=x&family=y", "family"),
    ],
)
async def test_what_a_type_does_not_have_is_named(team: tuple[Territory, Key], query: str, named: str) -> None:
    territory, _ = team
    with pytest.raises(BadRequest, match=named):
        await territory.search("", query)


async def test_what_no_type_has_is_said_once_of_all(team: tuple[Territory, Key]) -> None:
    """It named Account, the first of all types, which nobody had asked about."""
    territory, patient = team
    for query in ("foo=1", "_id=x&foo=1", "_type=Observation,Encounter&foo=1"):
        with pytest.raises(BadRequest) as refused:
            await territory.search("", query)
        [told] = refused.value.issues
        assert told.diagnostics.startswith("'foo' is not a search parameter of any of the types searched. Known to all")
        assert "_lastUpdated" in told.diagnostics and "Account" not in told.diagnostics
    for query in ("foo=1", "foo.name=x"):
        lenient = await territory.search("", f"_id={territory.id(patient)}&{query}", lenient=True)
        assert lenient.total == 1
        assert len(lenient.outcomes[0]["issue"]) == 1, "once, not once a type"


async def test_what_the_end_of_a_chain_does_not_have_is_said_of_that_end(team: tuple[Territory, Key]) -> None:
    territory, _ = team
    for query in ("patient.foo=x", "_has:Provenance:target:foo=x"):
        with pytest.raises(BadRequest, match=r"not a search parameter of (Patient|Provenance)\."):
            await territory.search("", f"_type=Observation,Condition&{query}")


async def test_the_path_names_one_type_and_then_there_is_no_type_parameter(team: tuple[Territory, Key]) -> None:
    territory, _ = team
    with pytest.raises(BadRequest, match="_type"):
        await territory.search("Observation", "_type=Observation")


async def test_leniently_what_one_type_lacks_is_left_out_for_all(record: tuple[Territory, Key, list[Key]]) -> None:
    territory, _, _ = record
    found = await territory.search("", "_type=Observation,Encounter&code=nothing&status=final", lenient=True)
    assert len(found.ids) == 3
    assert "code" in found.outcomes[0]["issue"][0]["diagnostics"]
    assert "code" not in found.self_


async def test_a_type_outside_the_scopes_gives_nothing(record: tuple[Territory, Key, list[Key]]) -> None:
    territory, patient, _ = record
    narrow = await territory.session(2, 1, "user/Observation.rs user/Encounter.rs?class=nothing")
    query = f"_type=Observation,Condition,Encounter&patient={territory.id(patient)}"
    assert (await territory.search("", query, narrow)).total == 3
    assert (await territory.search("", f"{query}&_summary=count", narrow)).total == 3
    with pytest.raises(Forbidden):
        await territory.search("", "_type=Condition,Procedure", narrow)


async def test_includes_and_parts_go_with_several_types(record: tuple[Territory, Key, list[Key]]) -> None:
    territory, patient, _ = record
    found: Any = await territory.search(
        "", "_type=Observation,Condition&_include=Observation:subject&_elements=code,Patient.birthDate"
    )
    assert found.included == [territory.id(patient)]
    for entry in found.bundle["entry"]:
        assert entry["resource"]["meta"]["tag"][0]["code"] == "SUBSETTED"
