"""_sort by what references lead to: every match stays, and what may not be seen orders nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest

from liaison.fhir.errors import BadRequest, Forbidden
from liaison.fhir.search import ends
from liaison.fhir.search.criteria import Context
from liaison.fhir.search.parse import pairs, parse

from .conftest import BASE
from .linked import House
from .test_chain import HIDDEN, house

__all__ = ["house"]


async def _order(house: House, type_: str, query: str, **more: Any) -> str:
    found = await house.territory.search(type_, query, **more)
    named = {house.territory.id(key): name for name, key in house.names.items()}
    return " ".join(named[one] for one in found.ids)


async def _filled(house: House) -> None:
    """Three stays more: one nobody hides without a place, one at a hidden doctor's, one with two doctors."""
    await house.encounter("e-none", "zoe", "HH", period={"start": "2026-01-03"})
    both = [{"individual": house.ref("petit")}, {"individual": house.ref("durand")}]
    await house.encounter("e-both", "paul", "HH", participant=both, period={"start": "2026-01-04"})


async def test_the_end_of_a_chain_gives_the_order(house: House) -> None:
    """hapi-fhir#5904, hapi-fhir#818: what has no such end was dropped, and the total with it."""
    await _filled(house)
    for query, wanted in (
        ("_sort=participant.family,_lastUpdated", "e-none e-zoe e-both e-paul"),
        ("_sort=-participant:Practitioner.family,_lastUpdated", "e-paul e-both e-zoe e-none"),
        ("_sort=patient.family,_lastUpdated", "e-zoe e-none e-paul e-both"),
        ("_sort=-subject:Patient.family,-_lastUpdated", "e-both e-paul e-none e-zoe"),
        ("_sort=service-provider.partof.name,_lastUpdated", "e-none e-both e-zoe e-paul"),
        ("_sort=-class,patient.birthdate,_lastUpdated", "e-zoe e-none e-both e-paul"),
        ("_sort=patient._lastUpdated,-_lastUpdated", "e-none e-zoe e-both e-paul"),
        ("patient.family=lef&_sort=-participant.family", "e-zoe e-none"),
    ):
        assert await _order(house, "Encounter", query) == wanted, query
        paged = await house.territory.all_pages("Encounter", f"{query}&_count=1")
        named = {house.territory.id(key): name for name, key in house.names.items()}
        assert " ".join(named[one] for one in paged) == wanted, query
        assert (await house.territory.search("Encounter", f"{query}&_count=1")).total == len(wanted.split())


async def _hidden(house: House) -> None:
    await house.encounter("stay", "zoe", "A", meta=HIDDEN)
    await house.observation("during", "zoe", "z", encounter=house.ref("stay"))
    await house.observation("without", "zoe", "z")


async def test_what_may_not_be_seen_orders_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await _hidden(house)
    query = "code=z&_sort=-encounter.class,-_lastUpdated"
    assert await _order(house, "Observation", query) == "without during"

    # The planted fault: the ends are read as if nothing were hidden.
    async def everything(self: Any, type_: str, keys: Any, then: Any) -> Any:
        from liaison.fhir.model.values import Token
        from liaison.fhir.search.criteria import Facts

        return {key: Facts(type_, "", datetime.now(UTC), {then.parameter.number: [Token("", "A")]}) for key in keys}

    monkeypatch.setattr(ends.Ends, "_facts", everything)
    assert await _order(house, "Observation", query) == "during without"


async def test_scopes_hold_on_what_orders(house: House) -> None:
    query = "_sort=encounter.class,_lastUpdated"
    whole = await _order(house, "Observation", query)
    assert whole == "alone o-paul o-zoe"
    some = await house.territory.session(11, 1, "user/Observation.rs user/Encounter.rs?class=HH")
    assert await _order(house, "Observation", query, caller=some) == "o-paul alone o-zoe"
    alone = await house.territory.session(12, 1, "user/Observation.rs")
    for more in ("", "&code=no-such"):
        with pytest.raises(Forbidden, match="'_sort' asks about"):
            await house.territory.search("Observation", query + more, alone)


@pytest.mark.parametrize(
    ("sort", "said"),
    [
        ("patient.nonsense", "'nonsense' is not a parameter of Patient that has an order"),
        ("code.name", "'code' is not a reference parameter of Observation"),
        ("subject.nonsense", "no type that 'subject' may lead to has 'nonsense'"),
        ("focus.type", "name the type a link leads to"),
        ("encounter.part-of.part-of.part-of.part-of.class", "at most 4 links"),
        ("patient.", "'' is not a parameter of Patient"),
    ],
)
def test_a_chain_that_has_no_order_is_named(sort: str, said: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(pairs(f"_sort={sort}"), Context("Observation", BASE, datetime(2026, 1, 1, tzinfo=UTC)))
    assert said in refused.value.issues[0].diagnostics
