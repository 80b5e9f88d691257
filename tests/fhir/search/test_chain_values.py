"""Value sets and the parts of a place, asked at the end of a chain and inside _has, as they are asked without one."""

import pytest

from liaison.fhir.errors import BadRequest

from .linked import House
from .test_chain import house

__all__ = ["house"]

AT_HOME = "http://x/ValueSet/at-home"
HEARTS = "http://x/ValueSet/hearts"


async def _filled(house: House) -> None:
    for url, code in ((AT_HOME, "HH"), (HEARTS, "9279-1")):
        include = [{"system": "http://x/codes", "concept": [{"code": code}]}]
        tree = {"resourceType": "ValueSet", "status": "active", "url": url, "compose": {"include": include}}
        await house.add(url, tree)
    await house.patient("rose")
    coded = {"coding": [{"system": "http://x/codes", "code": "9279-1"}]}
    await house.encounter("e-rose", "rose", "AMB", **{"class": {"system": "http://x/codes", "code": "HH"}})
    tree = {"resourceType": "Observation", "status": "final", "code": coded, "encounter": house.ref("e-rose")}
    await house.add("o-rose", tree, "rose")


@pytest.mark.parametrize(
    ("type_", "query", "expected"),
    [
        ("Observation", f"code:in={HEARTS}", "o-rose"),
        ("Patient", "_has:Observation:patient:code=http://x/codes|9279-1", "rose"),
        ("Encounter", f"_has:Observation:encounter:code:in={HEARTS}", "e-rose"),
        ("Observation", f"encounter.class:in={AT_HOME}", "o-rose"),
        ("Observation", f"encounter.class:not-in={AT_HOME}", "o-paul o-zoe"),
        ("Patient", f"_has:Observation:patient:code:in={HEARTS}", "rose"),
        ("Patient", f"_has:Encounter:patient:_has:Observation:encounter:code:in={HEARTS}", "rose"),
        ("Encounter", "service-provider:below={hospital}", "e-paul e-zoe"),
        ("Observation", "encounter.service-provider:below={hospital}", "o-paul o-zoe"),
    ],
)
async def test_what_is_looked_up_is_looked_up_behind_a_link_too(
    house: House, type_: str, query: str, expected: str
) -> None:
    await _filled(house)

    assert await house.found(type_, query) == expected


@pytest.mark.parametrize(
    ("type_", "query"),
    [
        ("Observation", "encounter.class:in=http://x/ValueSet/unknown"),
        ("Patient", "_has:Observation:patient:code:in=http://x/ValueSet/unknown"),
    ],
)
async def test_an_unknown_value_set_behind_a_link_is_refused_by_name(house: House, type_: str, query: str) -> None:
    with pytest.raises(BadRequest, match="ValueSet/unknown"):
        await house.found(type_, query)
