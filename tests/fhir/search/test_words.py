"""_text and _content: whole words and phrases, folded, joined by AND, OR and NOT; never of what is hidden."""

from typing import Any
from urllib.parse import quote

import pytest

from liaison.fhir.errors import BadRequest, TooCostly
from liaison.fhir.model import Number
from liaison.fhir.model.words import content_text, narrative_text
from liaison.fhir.search import decide
from liaison.fhir.store.contract import Key

from .conftest import PSY, Territory, followed

DIV = '<div xmlns="http://www.w3.org/1999/xhtml"><p title="caché">Douleur <b>tho</b>racique</p><p>à l&#39;effort</p></div>'
TOLD: dict[str, Any] = {"text": {"status": "generated", "div": DIV}, "valueString": "Œdème des chevilles"}


@pytest.fixture(scope="module")
async def told(read_territory: Territory) -> tuple[Territory, Key]:
    """An observation with a text, beside one without."""
    territory, patient = await followed(read_territory)
    quantity: dict[str, Any] = {"component": [{"code": {"text": "x"}, "valueQuantity": {"value": Number("72.50")}}]}
    key = await territory.observation(patient, **TOLD, **quantity)
    await territory.observation(patient)
    return territory, key


@pytest.mark.parametrize(
    ("query", "text", "content"),
    [
        ("douleur", True, True),
        ("DOULEUR", True, True),
        ("thoracique", True, True),
        ("douleur thoracique", True, True),
        ("effort douleur", True, True),
        ('"douleur thoracique"', True, True),
        ('"thoracique douleur"', False, False),
        ('"thoracique a l\'effort"', True, True),
        ("a l'effort", True, True),
        ("doul", False, False),
        ("douleur œdème", False, True),
        ("œdème", False, True),
        ("chevilles,nothing", False, True),
        ("caché", False, False),
        ("div", False, False),
        ("douleur nothing", False, False),
        ("8867 4", False, True),
        ("72.50", False, True),
        ("observation", False, False),
        ("douleur AND effort", True, True),
        ("douleur and nothing", False, False),
        ("nothing OR douleur", True, True),
        ("nothing or other", False, False),
        ("(nothing OR douleur) and effort", True, True),
        ("(nothing OR douleur)effort", True, True),
        ("nothing AND effort OR douleur", True, True),
        ("douleur OR effort AND nothing", True, True),
        ("(douleur OR effort) AND nothing", False, False),
        ("douleur OR effort nothing", True, True),
        ("((douleur) AND (effort OR (nothing)))", True, True),
        ("(nothing OR chevilles) and (œdème AND douleur)", False, True),
        ("douleur AND NOT nothing", True, True),
        ("douleur not effort", False, False),
        ("not (nothing OR other) douleur", True, True),
        ("douleur AND NOT chevilles", True, False),
        ('"douleur" or "and"', True, True),
        ('douleur "or"', False, False),
        ("nothing AND other,douleur OR nothing", True, True),
    ],
)
async def test_words_are_whole_and_all_there(
    told: tuple[Territory, Key], query: str, text: bool, content: bool
) -> None:
    territory, key = told
    for name, wanted in (("_text", text), ("_content", content)):
        if query in ("8867 4",) and name == "_content":
            assert len((await territory.search("Observation", f"{name}={quote(query)}")).ids) == 2
            continue
        for more in ("", "&_sort=code", "&code=8867-4", "&_total=accurate"):
            found = await territory.search("Observation", f"{name}={quote(query)}{more}")
            assert found.ids == ([territory.id(key)] if wanted else []), (name, more)
            assert found.total == len(found.ids)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("(bone OR liver and metastases", "At character 30, ')'"),
        ("bone OR liver) and metastases", "At character 14, the end"),
        ("bone OR", "At character 8, a word"),
        ("or bone", "At character 1, a word"),
        ("bone AND OR liver", "At character 10, a word"),
        ("bone (  )", "At character 9, a word"),
        ("not", "At character 4, a word"),
        ("douleur AND ---", "At character 16, a word"),
        ("(bone,liver)", "At character 6, ')'"),
        ('bone "liver', "At character 6, a quotation mark"),
        ("---", "At character 4, a word"),
        ("(" * 30 + "a" + ")" * 30, "20 deep"),
        (" ".join(["a"] * 300), "200 words"),
    ],
    ids=lambda one: one[:30],
)
async def test_an_expression_that_is_none_is_refused_where_it_stops(
    told: tuple[Territory, Key], query: str, said: str
) -> None:
    territory, _ = told
    for asked in (f"_text={quote(query)}", f"_content={quote(query)}"):
        with pytest.raises(BadRequest) as refused:
            await territory.search("Observation", asked)
        assert said in str(refused.value.issues[0].diagnostics)


async def test_what_has_no_text_lacks_every_word(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    told, bare = await territory.observation(patient, **TOLD), await territory.observation(patient)
    found = await territory.search("Observation", "_text=not%20nothing&_sort=_lastUpdated")
    assert found.ids == [territory.id(told), territory.id(bare)]
    assert (await territory.search("Observation", "_text=not%20douleur")).ids == [territory.id(bare)]
    named = quote('(_text co "nothing or douleur") and status eq final')
    assert (await territory.search("Observation", f"_filter={named}")).ids == [territory.id(told)]


async def test_people_are_found_by_words_whatever_the_cache_holds(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    assert (await territory.search("Patient", "family=lefevre")).ids == [territory.id(patient)]
    for _ in range(2):
        assert (await territory.search("Patient", "_content=zoe&family=lef")).ids == [territory.id(patient)]
        assert (await territory.search("Patient", "_content=nothing&family=lef")).ids == []
        assert (await territory.search("Patient", "family=lefevre")).ids == [territory.id(patient)]


async def test_the_words_of_what_is_hidden_are_not_there(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    await territory.observation(patient, **TOLD, meta={"security": [{"system": PSY, "code": "PSY"}]})
    other = await territory.patient()
    await territory.observation(other, **TOLD)
    for query in ("_text=douleur", "_content=chevilles", "_content=chevilles&_summary=count"):
        found = await territory.search("Observation", f"{query}&_total=accurate")
        assert (found.ids, found.total, found.answer.disclosed) == ([], 0, ())
    await territory.grant(other.patient, 1)
    assert (await territory.search("Observation", "_text=douleur&_total=accurate")).total == 1


async def test_words_are_looked_for_within_the_budget(
    team: tuple[Territory, Key], monkeypatch: pytest.MonkeyPatch
) -> None:
    territory, patient = team
    for _ in range(2):
        await territory.observation(patient)
    monkeypatch.setattr(decide.Budget.__init__, "__defaults__", (1,))
    with pytest.raises(TooCostly):
        await territory.search("Observation", "_content=x")


async def test_a_type_without_narrative_has_no_text(team: tuple[Territory, Key]) -> None:
    territory, _ = team
    with pytest.raises(BadRequest, match="_text"):
        await territory.search("Bundle", "_text=x")
    assert (await territory.search("Bundle", "_content=x")).ids == []


def test_what_names_or_points_is_no_text() -> None:
    tree: dict[str, Any] = {
        "resourceType": "Media",
        "id": "abc",
        "subject": {"reference": "Patient/abc", "display": "Zoé"},
        "content": {"data": "aGk=", "title": "t"},
        "contained": [{"resourceType": "Patient", "text": {"status": "x", "div": "<div>a<br/>b</div>"}}],
        "height": 3,
        "active": True,
    }
    assert content_text(tree).split() == ["Zoé", "t", "x", "a", "b", "3"]
    assert narrative_text(tree) == ""
    assert narrative_text({"text": {"div": "<div><p>a&nbsp;<i>b</i>c</p>d</div>"}}).split() == ["a", "bc", "d"]
