"""Searching by parameters that a territory has added: from when on, in every place of a search, and until when."""

from typing import Any

import pytest

from liaison.auth.access.classes import EVERYTHING
from liaison.fhir import model
from liaison.fhir.errors import BadRequest, Gone, Unprocessable
from liaison.fhir.interactions.capabilities import capabilities
from liaison.fhir.search.index import added_rows, has_rows
from liaison.fhir.store import filling, parameters
from liaison.fhir.store.contract import Key

from .conftest import PSY, Territory
from .test_added import Tree, parameter

DEVICE = "https://liaison.test/device"
SEEN = "https://liaison.test/seen"
GOAL = "https://liaison.test/goal"


def of_observation(code: str, kind: str, expression: str, **more: Any) -> Tree:
    url = f"https://liaison.test/SearchParameter/{code}"
    return parameter(code=code, url=url, base=["Observation"], type=kind, expression=expression, **more)


TOKEN = of_observation("device-model", "token", f"Observation.extension('{DEVICE}').value.as(Coding)")
STRING = of_observation("remark", "string", "Observation.note.text")
DATE = of_observation("seen", "date", f"Observation.extension('{SEEN}').value.as(dateTime)")
NUMBER = of_observation("dimensions", "number", "Observation.value.as(SampledData).dimensions")
LINK = of_observation("goal", "reference", f"Observation.extension('{GOAL}').value.as(Reference)", target=["Goal"])


async def indexed(territory: Territory) -> int:
    """What the background job does."""
    count = 0
    async with territory.database.writing.acquire() as one:
        there = await filling.work(one, territory.store.parameters)
        for definition in there.waiting:
            how = added_rows if has_rows(definition) else None
            count += await filling.fill(one, territory.store.vault, definition, how)
        for ended in there.ended:
            await filling.remove(one, ended)
    return count


async def added(territory: Territory, *trees: Tree) -> list[Key]:
    keys = [await territory.add(tree) for tree in trees]
    await indexed(territory)
    return keys


def with_model(code: str) -> Tree:
    return {"extension": [{"url": DEVICE, "valueCoding": {"system": "urn:models", "code": code}}]}


async def test_it_is_refused_until_what_is_stored_is_indexed(team: tuple[Territory, Key]) -> None:
    """MS#4020: a pass was completed without a single record, and the parameter then found nothing."""
    territory, patient = team
    old = await territory.observation(patient, **with_model("A1"))
    with pytest.raises(BadRequest, match="not a search parameter of Observation"):
        await territory.search("Observation", "device-model=A1")

    await territory.add(TOKEN)
    new = await territory.observation(patient, **with_model("A1"))

    for query in ("device-model=A1", "_sort=device-model", "_filter=device-model eq A1", "device-model:missing=true"):
        with pytest.raises(BadRequest, match="is being indexed for it"):
            await territory.search("Observation", query)
    with pytest.raises(BadRequest, match="is being indexed for it"):
        await territory.search("Patient", "_has:Observation:patient:device-model=A1")
    ignored = await territory.search("Observation", "device-model=A1", lenient=True)
    assert "is being indexed" in str(ignored.outcomes)

    await indexed(territory)
    found = await territory.search("Observation", "device-model=A1")
    assert set(found.ids) == {territory.id(old), territory.id(new)}


async def test_it_is_a_parameter_like_any_other(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    one = await territory.observation(patient, **with_model("A1"), note=[{"text": "Tensiomètre du salon"}])
    two = await territory.observation(patient, **with_model("B2"), note=[{"text": "Autre bras"}])
    none = await territory.observation(patient)
    keys = {name: territory.id(key) for name, key in {"one": one, "two": two, "none": none}.items()}
    await added(territory, TOKEN, STRING)

    for query, expected in {
        "device-model=urn:models|A1": "one",
        "device-model=A1,B2": "one two",
        "device-model:not=A1": "two none",
        "device-model:missing=true": "none",
        f"patient={territory.id(patient)}&device-model=B2": "two",
        "remark=tensiometre": "one",
        "remark:contains=salon": "one",
        "remark:exact=Autre bras": "two",
        "_filter=device-model eq A1 or remark sw autre": "one two",
        "patient.family=lefevre&device-model=A1": "one",
    }.items():
        found = await territory.search("Observation", query)
        assert set(found.ids) == {keys[name] for name in expected.split()}, query
    ordered = await territory.search("Observation", "_sort=-device-model")
    assert ordered.ids == [keys["two"], keys["one"], keys["none"]]
    has = await territory.search("Patient", "_has:Observation:patient:device-model=B2")
    assert has.ids == [territory.id(patient)]
    assert (await territory.search("Patient", "_has:Observation:patient:device-model=C3")).ids == []


async def test_references_are_followed_both_ways(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    about = {"subject": {"reference": f"Patient/{territory.id(patient)}"}, "lifecycleStatus": "active"}
    goal = await territory.add(
        {"resourceType": "Goal", "description": {"text": "Marcher"}, **about, "startDate": "2026-01-01"}, patient
    )
    link: Tree = {"extension": [{"url": GOAL, "valueReference": {"reference": f"Goal/{territory.id(goal)}"}}]}
    one = await territory.observation(patient, **link)
    await territory.observation(patient)
    await added(territory, LINK)

    direct = await territory.search("Observation", f"goal={territory.id(goal)}&_include=Observation:goal")
    assert (direct.ids, direct.included) == ([territory.id(one)], [territory.id(goal)])
    assert (await territory.search("Observation", "goal.lifecycle-status=active")).ids == [territory.id(one)]
    back = await territory.search("Goal", "_revinclude=Observation:goal")
    assert (back.ids, back.included) == ([territory.id(goal)], [territory.id(one)])
    every = await territory.search("Goal", "_revinclude=Observation:*")
    assert every.included == [territory.id(one)]
    assert (await territory.search("Goal", "_has:Observation:goal:status=final")).ids == [territory.id(goal)]
    assert (await territory.search("Goal", "_has:Observation:goal:status=amended")).ids == []


async def test_dates_and_numbers_are_decided_after_decryption(team: tuple[Territory, Key]) -> None:
    """A parameter may look at any date, a birth date too: none of them gets into an index that stands in clear."""
    territory, patient = team
    seen = await territory.observation(patient, extension=[{"url": SEEN, "valueDateTime": "2025-11-03"}])
    data = {"origin": {"value": 0}, "period": 1, "dimensions": 3, "data": "1 2 3"}
    sampled = await territory.observation(patient, valueSampledData=data)
    before = await territory.database.reading.fetchval("select count(*) from index_date")

    assert await added(territory, DATE, NUMBER)

    assert await territory.database.reading.fetchval("select count(*) from index_date") == before
    assert (await territory.search("Observation", "seen=ge2025-11")).ids == [territory.id(seen)]
    assert (await territory.search("Observation", "seen=lt2025-11")).ids == []
    assert (await territory.search("Observation", "seen:missing=true")).ids == [territory.id(sampled)]
    assert (await territory.search("Observation", "_sort=-seen")).ids == [territory.id(seen), territory.id(sampled)]
    assert (await territory.search("Observation", "dimensions=gt2")).ids == [territory.id(sampled)]


async def test_what_may_not_be_seen_is_not_found_by_it(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    hidden = await territory.observation(patient, **with_model("A1"), meta={"security": [{"system": PSY, "code": "x"}]})
    stranger = await territory.patient()
    await territory.observation(stranger, **with_model("A1"))
    await added(territory, TOKEN)

    found = await territory.search("Observation", "device-model=A1&_total=accurate")
    assert (found.ids, found.total) == ([], 0)
    assert (await territory.search("Patient", "_has:Observation:patient:device-model=A1")).ids == []
    await territory.grant(patient.patient, 1, EVERYTHING)
    assert (await territory.search("Observation", "device-model=A1")).ids == [territory.id(hidden)]


async def test_tokens_of_it_are_those_of_the_patient_alone(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    other = await territory.patient()
    for one in (patient, other):
        await territory.observation(one, **with_model("A1"))
    await added(territory, TOKEN)

    rows = await territory.database.reading.fetch("select patient, token from index_token where param >= 20000")
    assert {row["patient"] for row in rows} == {patient.patient, other.patient}
    assert len({row["token"] for row in rows}) == len(rows)


async def test_a_changed_definition_is_a_new_parameter(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    one = await territory.observation(patient, **with_model("A1"), bodySite={"coding": [{"code": "arm"}]})
    for number in range(3):
        await territory.observation(patient, **with_model("A1"), bodySite={"coding": [{"code": f"leg-{number}"}]})
    [key] = await added(territory, TOKEN)
    page = await territory.search("Observation", "device-model=A1&_count=2")

    await territory.write(territory.change({**TOKEN, "description": "Other words"}, key, 2))
    assert len((await territory.search("Observation", "device-model=A1")).ids) == 4, "words alone change nothing"
    await territory.write(territory.change({**TOKEN, "expression": "Observation.bodySite"}, key, 3))

    with pytest.raises(BadRequest, match="is being indexed"):
        await territory.search("Observation", "device-model=arm")
    await indexed(territory)
    assert (await territory.search("Observation", "device-model=arm")).ids == [territory.id(one)]
    assert (await territory.search("Observation", "device-model=A1")).ids == []
    with pytest.raises(Gone, match="defined anew"):
        await territory.search("Observation", page.next_query)


@pytest.mark.parametrize("way", ["retired", "deleted"])
async def test_one_that_ends_is_unknown_again_and_its_rows_go(
    team: tuple[Territory, Key], way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, patient = team
    await territory.observation(patient, **with_model("A1"))
    await territory.observation(patient, **with_model("A1"))
    [key] = await added(territory, TOKEN)
    page = await territory.search("Observation", "device-model=A1&_count=1")
    loose = await territory.search("Observation", "device-model=A1&_count=1", lenient=True)
    assert page.ids
    assert loose.ids

    if way == "retired":
        await territory.write(territory.change({**TOKEN, "status": "retired"}, key, 2))
    else:
        await territory.delete(key, 2)

    with pytest.raises(BadRequest, match="not a search parameter"):
        await territory.search("Observation", "device-model=A1")
    for begun in (page, loose):  # lenient or not: without the parameter, the next page would be one of another search
        with pytest.raises(Gone, match="retired"):
            await territory.search("Observation", begun.next_query)
    rows = "select count(distinct res) from index_token where param >= 20000"
    await indexed(territory)
    assert await territory.database.reading.fetchval(rows) == 2, "a search may have begun before"
    monkeypatch.setattr(parameters, "KEPT", parameters.KEPT * 0)
    await indexed(territory)
    assert await territory.database.reading.fetchval(rows) == 0
    assert await territory.database.reading.fetchval("select count(*) from search_parameter") == 0
    new = await territory.observation(patient, **with_model("A1"))
    assert await territory.database.reading.fetchval(rows) == 0
    await added(territory, {**TOKEN, "url": "https://liaison.test/another"})
    assert territory.id(new) in (await territory.search("Observation", "device-model=A1")).ids


async def test_two_cannot_have_one_code(territory: Territory) -> None:
    await territory.add(TOKEN)

    with pytest.raises(Unprocessable, match="'device-model' is a search parameter of Observation already"):
        await territory.add({**TOKEN, "url": "https://liaison.test/another"})
    with pytest.raises(Unprocessable, match="url"):
        await territory.add({**TOKEN, "code": "another"})
    await territory.add({**TOKEN, "url": "https://liaison.test/draft", "status": "draft"})
    await added(
        territory,
        parameter(code="device-model", url="https://liaison.test/of-goals", base=["Goal"], expression="Goal.category"),
    )


async def test_its_own_limits_are_kept(team: tuple[Territory, Key]) -> None:
    territory, _ = team
    narrow = {"multipleOr": False, "multipleAnd": False, "modifier": ["missing"], "comparator": ["ge"]}
    await added(territory, {**TOKEN, **narrow}, {**DATE, **narrow}, {**LINK, "chain": ["lifecycle-status"]})

    for query, said in {
        "device-model=A1,B2": "not several",
        "device-model=A1&device-model=B2": "allows it once",
        "device-model:not=A1": "these modifiers only: missing",
        "seen=le2025": "these prefixes only: ge",
        "goal.category=x": "chains to these only: lifecycle-status",
    }.items():
        with pytest.raises(BadRequest, match=said):
            await territory.search("Observation", query)
    for query in ("device-model:missing=false", "seen=ge2025", "seen=2025", "goal.lifecycle-status=x"):
        await territory.search("Observation", query)


async def test_the_capability_statement_names_it_once_it_is_ready(team: tuple[Territory, Key]) -> None:
    territory, _ = team

    async def stated() -> list[str]:
        custom = await territory.store.parameters.refreshed()
        rest = model.read(capabilities("https://liaison.test/fhir", custom=custom).body)["rest"][0]
        [observation] = [one for one in rest["resource"] if one["type"] == "Observation"]
        [goal] = [one for one in rest["resource"] if one["type"] == "Goal"]
        defined = [one["definition"] for one in observation["searchParam"]]
        return [*defined, *observation["searchInclude"], *goal["searchRevInclude"]]

    await territory.add(LINK)
    assert not {LINK["url"], "Observation:goal"} & set(await stated())
    await indexed(territory)
    found = await stated()
    assert (found.count(LINK["url"]), found.count("Observation:goal")) == (1, 2)
