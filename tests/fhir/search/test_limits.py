"""Many values: fast, or refused with a limit that is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.errors import BadRequest, TooCostly
from liaison.fhir.search import decide, run
from liaison.fhir.search.conditions import All, Tokens, values_in
from liaison.fhir.search.result import Controls
from liaison.fhir.search.token import of
from liaison.fhir.store.contract import Key

from .conftest import Territory


async def test_hundreds_of_values_find_what_one_of_them_finds(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    one = territory.id(await territory.observation(patient, "code-77"))
    await territory.observation(patient, "code-499")
    for count in (113, 499):
        query = f"code={','.join(f'code-{number}' for number in range(count))}"
        for who in ("", f"patient={territory.id(patient)}&"):
            assert (await territory.search("Observation", who + query)).ids == [one]
    with pytest.raises(BadRequest, match="500"):
        await territory.search("Observation", f"code={','.join(map(str, range(501)))}")


async def test_the_number_of_values_changes_no_statement(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    """hapi-fhir#8247: 113 values of one parameter hung the database. hapi-fhir#8380: values, multiplied by what the caller may
    see, were more parameters than a statement takes."""
    territory, patient = team
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    sent = []
    fetch = territory.store.lanes.fetch

    async def watched(text: str, *arguments: object) -> list[object]:
        sent.append((text, len(arguments)))
        return list(await fetch(text, *arguments))

    monkeypatch.setattr(territory.store.lanes, "fetch", watched)
    for count in (113, 400):
        codes = ",".join(f"code-{number}" for number in range(count))
        await territory.search("Observation", f"code={codes}&patient={territory.id(patient)}")
    assert len({text for text, _ in sent}) == 1
    assert max(arguments for _, arguments in sent) < 30


async def test_more_tokens_than_a_statement_may_need_are_refused(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, patient = team
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    monkeypatch.setattr(run, "MOST_TOKENS", 10)
    assert (await territory.search("Observation", "code=1,2,3,4,5")).ids == []
    with pytest.raises(TooCostly, match="6 values over 2 patients"):
        await territory.search("Observation", "code=1,2,3,4,5,6")
    with pytest.raises(TooCostly):
        await territory.search("Observation", "code=1,2,3,4,5,6&_summary=count")
    assert (await territory.search("Observation", f"code=1,2,3&patient={territory.id(patient)}")).ids == []


def test_values_are_counted_wherever_they_stand() -> None:
    some = Tokens(1, (b"a", b"b"))
    assert values_in(All((some, All((some, Tokens(2, (b"c",), negated=True)))))) == 5


@pytest.mark.parametrize("given_in", [",".join(["-date"] * 10), "date,-date,date,-date,date"])
def test_the_keys_of_an_order_are_counted_over_all_of_them(given_in: str) -> None:
    controls = Controls("Observation")
    controls.read("_sort", given_in)
    if len(controls.sort) < 10:
        controls.read("_sort", given_in)

    with pytest.raises(BadRequest, match="10 keys"):
        controls.read("_sort", "date")


@given(*[st.text(max_size=4)] * 4)
def test_no_two_tokens_are_written_alike(system: str, code: str, other_system: str, other_code: str) -> None:
    """An identifier is not found by the end of its system and the start of its value (blaze#2111)."""
    same = (system, code) == (other_system, other_code)
    assert (of(system, code) == of(other_system, other_code)) is same
    assert of(None, code) not in (of(system, code), of(system, None))


async def test_what_is_too_costly_to_count_has_no_estimate(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, patient = team
    for number in range(28):
        await territory.observation(patient, at=f"2026-02-{number + 1:02}", valueString=f"texte {number}")
    monkeypatch.setattr(decide.Budget.__init__, "__defaults__", (20,))
    for type_, more in (("Observation", ""), ("", "&_type=Observation,Flag")):
        asked = f"_content=texte&_count=1{more}"
        page = await territory.search(type_, f"{asked}&_total=estimate")
        assert page.ids == (await territory.search(type_, asked)).ids
        assert (page.total, len(page.ids)) == (None, 1)
        assert (await territory.search(type_, page.next_query)).total is None
        with pytest.raises(TooCostly):
            await territory.search(type_, f"{asked}&_total=accurate")
        with pytest.raises(TooCostly):
            await territory.search(type_, f"_content=rien&_count=1{more}&_total=estimate")
