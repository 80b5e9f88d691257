"""What value sets hold, and what cannot be told of them."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.errors import BadRequest
from liaison.fhir.terminology import Codes, CodeSystem, Members, expand

S, T, V = "http://s", "http://t", "http://v"

TREE = {
    "resourceType": "CodeSystem",
    "url": S,
    "content": "complete",
    "property": [
        {"code": "kind", "type": "code"},
        {"code": "up", "uri": "http://hl7.org/fhir/concept-properties#parent"},
    ],
    "concept": [
        {"code": "a", "concept": [{"code": "b", "concept": [{"code": "c"}]}, {"code": "d"}]},
        {"code": "e", "property": [{"code": "parent", "valueCode": "d"}, {"code": "kind", "valueCode": "x"}]},
        {"code": "f", "property": [{"code": "subsumedBy", "valueCode": "e"}, {"code": "kind", "valueString": "y"}]},
        {"code": "g", "property": [{"code": "up", "valueCode": "a"}]},
        {"code": "h", "property": [{"code": "child", "valueCode": "i"}, {"code": "flag", "valueBoolean": True}]},
        {"code": "i"},
    ],
}


class Kept:
    """Definitions in memory."""

    def __init__(self, *trees: Mapping[str, Any]) -> None:
        self.trees = {tree["url"]: tree for tree in trees}

    async def value_set(self, url: str) -> Mapping[str, Any] | None:
        return self.trees.get(url)

    async def code_system(self, url: str) -> CodeSystem | None:
        return CodeSystem(self.trees[url]) if url in self.trees else None


def test_subsumption_follows_nesting_and_properties() -> None:
    system = CodeSystem(TREE)
    assert system.below("a") == set("abcdefg")
    assert system.below("d") == set("def")
    assert system.below("h") == set("hi")
    assert system.above("f") == set("feda")
    assert system.above("c") == set("cba")
    assert system.above("a") == {"a"}


def test_a_hierarchy_that_turns_back_on_itself_ends() -> None:
    system = CodeSystem(
        {
            "url": S,
            "content": "complete",
            "concept": [{"code": "a", "property": [{"code": "parent", "valueCode": "a"}]}],
        }
    )
    assert system.below("a") == {"a"}


@pytest.mark.parametrize(
    ("tree", "named"),
    [
        ({**TREE, "content": "fragment"}, "fragment"),
        ({**TREE, "content": "not-present"}, "not-present"),
        ({**TREE, "hierarchyMeaning": "part-of"}, "part-of"),
        ({**TREE, "concept": []}, "not a code"),
    ],
)
def test_a_code_system_that_cannot_tell_is_named(tree: Mapping[str, Any], named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        CodeSystem(tree).below("a")


def filter_(op: str, value: str, name: str = "concept") -> dict[str, Any]:
    return {"system": S, "filter": [{"property": name, "op": op, "value": value}]}


@pytest.mark.parametrize(
    ("compose", "held"),
    [
        ({"include": [{"system": S, "concept": [{"code": "a"}, {"code": "z"}]}]}, "az"),
        ({"include": [{"system": S}]}, "abcdefghi"),
        ({"include": [filter_("is-a", "d")]}, "def"),
        ({"include": [filter_("descendent-of", "d")]}, "ef"),
        ({"include": [filter_("is-not-a", "a")]}, "hi"),
        ({"include": [filter_("generalizes", "c")]}, "abc"),
        ({"include": [filter_("=", "x", "kind")]}, "e"),
        ({"include": [filter_("in", "x,y", "kind")]}, "ef"),
        ({"include": [filter_("not-in", "x,y", "kind")]}, "abcdghi"),
        ({"include": [filter_("exists", "true", "flag")]}, "h"),
        ({"include": [filter_("=", "d", "parent")]}, "e"),
        ({"include": [filter_("is-a", "a")], "exclude": [filter_("is-a", "d")]}, "abcg"),
        ({"include": [{"system": S}], "exclude": [{"system": S, "concept": [{"code": "a"}]}]}, "bcdefghi"),
        ({"include": [{"valueSet": ["http://de"]}]}, "de"),
        ({"include": [{"valueSet": ["http://de", "http://ef"]}]}, "e"),
        ({"include": [{"valueSet": ["http://de"]}, {"valueSet": ["http://ef"]}]}, "def"),
        ({"include": [{"system": S, "valueSet": ["http://de"]}]}, "de"),
        ({"include": [{**filter_("is-a", "e"), "valueSet": ["http://de"]}]}, "e"),
        (
            {
                "include": [
                    {"system": S, "filter": [*filter_("is-a", "d")["filter"], *filter_("=", "y", "kind")["filter"]]}
                ]
            },
            "f",
        ),
    ],
)
async def test_compositions(compose: Mapping[str, Any], held: str) -> None:
    def plain(url: str, codes: str) -> dict[str, Any]:
        return {"url": url, "compose": {"include": [{"system": S, "concept": [{"code": c} for c in codes]}]}}

    members = await expand(
        V, Kept(TREE, {"url": V, "compose": compose}, plain("http://de", "de"), plain("http://ef", "ef"))
    )
    assert {code for code in "abcdefghiz" if (S, code) in members} == set(held)
    assert (T, "a") not in members


async def test_a_whole_system_that_is_not_kept_holds_whatever_it_names() -> None:
    compose = {"include": [{"system": T}], "exclude": [{"system": T, "concept": [{"code": "a"}]}]}
    members = await expand(V, Kept({"url": V, "compose": compose}))
    assert (T, "b") in members
    assert (T, "a") not in members
    assert (S, "b") not in members


@pytest.mark.parametrize(
    ("trees", "named"),
    [
        ([], V),
        ([{"url": V}], V),
        ([{"url": V, "compose": {"include": [filter_("is-a", "a")]}}], S),
        ([TREE, {"url": V, "compose": {"include": [filter_("regex", ".*")]}}], "regex"),
        ([TREE, {"url": V, "compose": {"include": [filter_("is-a", "nothing")]}}], "nothing"),
        ([{"url": V, "compose": {"include": [{"valueSet": ["http://w"]}]}}], "http://w"),
        ([{"url": V, "compose": {"include": [{"valueSet": [V]}]}}], V),
        ([{"url": V, "compose": {"include": [{}]}}], V),
        ([{"url": V, "expansion": {"total": 3, "contains": [{"system": S, "code": "a"}]}}], V),
    ],
)
async def test_what_cannot_be_expanded_is_named(trees: list[Mapping[str, Any]], named: str) -> None:
    with pytest.raises(BadRequest, match=named):
        await expand(V, Kept(*trees))


async def test_a_complete_expansion_answers_where_the_composition_cannot() -> None:
    contains = [{"system": S, "code": "a", "contains": [{"system": S, "code": "b"}]}, {"abstract": True, "code": "c"}]
    tree = {"url": V, "compose": {"include": [filter_("is-a", "a")]}, "expansion": {"total": 3, "contains": contains}}
    members = await expand(V, Kept(tree))
    assert {code for code in "abc" if (S, code) in members} == {"a", "b"}


async def test_value_sets_that_need_no_resource() -> None:
    members = await expand("http://hl7.org/fhir/ValueSet/administrative-gender", Kept())
    assert ("http://hl7.org/fhir/administrative-gender", "female") in members
    assert (S, "f") in await expand(f"{S}?fhir_vs=isa/d", Kept(TREE))
    assert (S, "a") not in await expand(f"{S}?fhir_vs=isa/d", Kept(TREE))
    assert (S, "a") in await expand(f"{S}?fhir_vs", Kept(TREE))


SETS = st.builds(
    lambda codes, but: Members({S: Codes(frozenset(codes), but)}), st.sets(st.sampled_from("abcd")), st.booleans()
)


@given(SETS, SETS, st.sampled_from("abcde"))
def test_sets_of_codes_obey_the_laws_of_sets(one: Members, other: Members, code: str) -> None:
    at = (S, code)
    assert (at in one.union(other)) is (at in one or at in other)
    assert (at in one.intersection(other)) is (at in one and at in other)
    assert (at in one.without(other)) is (at in one and at not in other)


@pytest.mark.parametrize("named", ["inactive", "off"])
@pytest.mark.parametrize(("asked", "members"), [(False, {"a"}), (True, {"a", "b"}), (None, {"a", "b"})])
async def test_inactive_codes_are_left_out_where_the_value_set_says_so(
    named: str, asked: bool | None, members: set[str]
) -> None:
    declared = {"code": named, "uri": "http://hl7.org/fhir/concept-properties#inactive", "type": "boolean"}
    off = {"code": "b", "property": [{"code": named, "valueBoolean": True}]}
    system = {"url": S, "content": "complete", "property": [declared], "concept": [{"code": "a"}, off]}
    compose: dict[str, Any] = {"include": [{"system": S}]} | ({} if asked is None else {"inactive": asked})

    found = await expand(V, Kept({"url": V, "compose": compose}, system))

    assert {code for code in "ab" if (S, code) in found} == members


async def test_of_a_system_that_is_not_kept_nobody_can_say_what_is_inactive() -> None:
    compose = {"inactive": False, "include": [{"system": T, "concept": [{"code": "a"}]}]}

    with pytest.raises(BadRequest, match=T):
        await expand(V, Kept({"url": V, "compose": compose}))
