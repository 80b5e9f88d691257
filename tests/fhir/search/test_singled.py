"""Whom an answer is about: named one by one while they are few, however they were found; a set of many is nobody."""

import pytest

from liaison.fhir.search.plan import NOBODY
from liaison.fhir.search.singled import FEW
from liaison.fhir.store.contract import Key

from .conftest import Territory


@pytest.fixture
async def many(territory: Territory) -> tuple[Territory, list[Key]]:
    """One more than few, each with a value; one of them with another one."""
    found = []
    for number in range(FEW + 1):
        one = await territory.patient(name=[{"family": f"Nom{number}"}], active=number > 0)
        await territory.grant(one.patient, 1)
        await territory.observation(one, "all")
        if number < FEW:
            await territory.observation(one, "few")
        found.append(one)
    return territory, found


@pytest.mark.parametrize(
    ("type_", "query", "counted"),
    [
        pytest.param("Observation", "code=all&_summary=count", 0, id="count of many"),
        pytest.param("Observation", "code=few&_summary=count", FEW, id="count of few"),
        pytest.param("Observation", "code:text=x&_summary=count", 0, id="count of none"),
        pytest.param("Patient", "active=false&_summary=count", 1, id="count of one"),
        pytest.param("Patient", "_has:Observation:patient:code=all&_summary=count", 0, id="has, of many"),
        pytest.param("Patient", "_has:Observation:patient:code=few&name=nobody", FEW, id="has, of few"),
        pytest.param("", "_type=Observation,Patient&_lastUpdated=gt2000-01-01&_summary=count", 0, id="types, of many"),
        pytest.param("Observation", "code=all&_count=2", 0, id="rows"),
    ],
)
async def test_few_are_named_and_many_are_a_set(
    many: tuple[Territory, list[Key]], type_: str, query: str, counted: int
) -> None:
    territory, people = many
    singled = (await territory.search(type_, query)).answer.singled
    assert len(singled) == counted
    assert singled <= {one.patient for one in people}


async def test_many_named_one_by_one_are_all_named(many: tuple[Territory, list[Key]]) -> None:
    territory, people = many
    query = f"patient={','.join(territory.id(one) for one in people)}&code=none&_summary=count"
    assert (await territory.search("Observation", query)).answer.singled == {one.patient for one in people}


async def test_a_further_page_is_about_the_same_people(many: tuple[Territory, list[Key]]) -> None:
    territory, people = many
    first = await territory.search("Observation", f"patient={territory.id(people[0])}&_count=1")
    second = await territory.search("Observation", first.next_query)
    assert first.answer.singled == second.answer.singled == {people[0].patient}


@pytest.mark.parametrize(
    "query", ["patient=Patient/{}&code=none", "_id={}&code=none", "focus=Observation/{}&code=none"]
)
async def test_an_id_that_was_never_made_is_asked_about_like_any_other(
    many: tuple[Territory, list[Key]], query: str
) -> None:
    territory, _ = many
    assert (await territory.search("Observation", query.format("0" * 32))).answer.singled == {NOBODY}


async def test_a_bare_id_is_of_the_record_that_it_names(many: tuple[Territory, list[Key]]) -> None:
    territory, people = many
    found = await territory.search("Observation", f"subject={territory.id(people[0])}&code=none")
    assert found.answer.singled == {people[0].patient}
