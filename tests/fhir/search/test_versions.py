"""References to one version of a resource (R4 search.html#versions): found, followed and included as such."""

from typing import Any

import pytest

from liaison.auth.access.classes import EVERYTHING

from .conftest import PSY, Territory
from .linked import House


def observation(house: House, status: str, **more: Any) -> dict[str, Any]:
    code = {"coding": [{"code": "member"}]}
    return {"resourceType": "Observation", "status": status, "code": code, "subject": house.ref("zoe"), **more}


@pytest.fixture
async def house(territory: Territory) -> House:
    """A member of two versions, and who refers to the first of them, to the second, to either, and to one that is not."""
    made = await House.furnished(territory)
    key = made.names["member"] = await territory.add(observation(made, "preliminary"), made.names["zoe"])
    change = territory.change(observation(made, "final"), key, version=2)
    known = await territory.store.read(territory.caller, key)
    assert known is not None
    change.before_row = known.row
    await territory.write(change)
    base = made.ref("member")["reference"]
    for name, version in (("first", "/_history/1"), ("second", "/_history/2"), ("any", ""), ("ninth", "/_history/9")):
        await made.observation(name, "zoe", "panel", hasMember=[{"reference": f"{base}{version}"}])
    return made


FOUND = (
    ("has-member=Observation/{member}", "any first ninth second"),
    ("has-member=Observation/{member}/_history/2", "second"),
    ("has-member=Observation/{member}/_history/1", "first"),
    ("has-member=Observation/{member}/_history/3", ""),
    ("has-member=https://liaison.test/fhir/Observation/{member}/_history/1", "first"),
    ("has-member:Observation={member}", "any first ninth second"),
    ("has-member:missing=true&code=panel", ""),
    ("_filter=has-member eq Observation/{member}/_history/1", "first"),
    ("_filter=has-member ne Observation/{member}/_history/1 and code eq panel", "any ninth second"),
    ("has-member.status=final", "any first ninth second"),
    ("has-member.status=preliminary", ""),
    ("patient=Patient/{zoe}/_history/1&code=panel", ""),
)


@pytest.mark.parametrize(("query", "expected"), FOUND, ids=[query for query, _ in FOUND])
async def test_a_version_asked_for_is_that_version(house: House, query: str, expected: str) -> None:
    assert await house.found("Observation", query) == expected


async def test_the_version_of_a_patient_is_asked_for_too(house: House, territory: Territory) -> None:
    versioned = {"reference": f"{house.ref('zoe')['reference']}/_history/1"}
    tree = observation(house, "final") | {"subject": versioned}
    house.names["old"] = await territory.add(tree, house.names["zoe"])
    assert await house.found("Observation", "patient=Patient/{zoe}/_history/1") == "old"
    assert await house.found("Observation", "patient=Patient/{zoe}/_history/2") == ""
    assert "old" in (await house.found("Observation", "patient=Patient/{zoe}")).split()


async def entries(house: House, query: str, **more: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """What is included, by name and version; and what the page says besides."""
    names = {house.territory.id(key): name for name, key in house.names.items()}
    found = await house.territory.search("Observation", query.format(**_ids(house)), **more)
    included = [
        (names[one["resource"]["id"]], one["resource"]["meta"]["versionId"])
        for one in found.bundle.get("entry", ())
        if one["search"]["mode"] == "include"
    ]
    said = [issue["diagnostics"] for one in found.outcomes for issue in one["issue"]]
    assert all(issue["severity"] == "warning" for one in found.outcomes for issue in one["issue"])
    return sorted(included), said


def _ids(house: House) -> dict[str, str]:
    return {name: house.territory.id(key) for name, key in house.names.items()}


async def test_the_version_referred_to_is_included(house: House) -> None:
    include = "&_include=Observation:has-member"
    assert await entries(house, "_id={first}" + include) == ([("member", "1")], [])
    assert await entries(house, "_id={second}" + include) == ([("member", "2")], [])
    assert await entries(house, "_id={any}" + include) == ([("member", "2")], [])
    both = [("member", "1"), ("member", "2")]
    assert await entries(house, "_id={first},{second},{any}" + include) == (both, [])
    assert (await entries(house, "_id={first}&_include=*"))[0] == [("member", "1"), ("zoe", "1")]


async def test_a_version_that_is_not_to_be_had_is_replaced_and_that_is_said(house: House) -> None:
    included, [said] = await entries(house, "_id={ninth}&_include=Observation:has-member")
    assert included == [("member", "2")]
    assert said.startswith(f"The last version of {house.ref('member')['reference']} is included")


async def test_a_former_version_is_judged_by_its_own_classes(house: House, territory: Territory) -> None:
    """The last version may be seen, the one that is named not: it is as if it were not there."""
    hidden = {"security": [{"system": PSY, "code": "PSY"}]}
    key = house.names["opened"] = await territory.add(
        observation(house, "preliminary", meta=hidden), house.names["zoe"]
    )
    everything = await territory.session(2, 2)
    await territory.grant(house.names["zoe"].patient, 2, EVERYTHING)
    change = territory.change(observation(house, "final"), key, version=2)
    known = await territory.store.read(everything, key)
    assert known is not None
    change.before_row = known.row
    await territory.write(change)
    reference = {"reference": f"Observation/{territory.id(key)}/_history/1"}
    await house.observation("hides", "zoe", "panel", hasMember=[reference])

    query = "_id={hides}&_include=Observation:has-member"
    included, said = await entries(house, query)
    assert (included, len(said)) == ([("opened", "2")], 1)
    assert await entries(house, query, caller=everything) == ([("opened", "1")], [])


async def test_a_chain_decided_on_another_version_says_so(house: House) -> None:
    _, said = await entries(house, "has-member.status=final&_sort=_id")
    told = {f"{house.ref(name)['reference']} names another version by 'has-member'" for name in ("first", "ninth")}
    assert {one.partition(" than ")[0] for one in said} == told
    assert (await entries(house, "_id={second}&has-member.status=final"))[1] == []
    _, filtered = await entries(house, "_id={first}&_filter=has-member.status eq final")
    assert len(filtered) == 1
    assert (await entries(house, "_id={first}&code=panel"))[1] == []
