"""A list of people in the order that is asked for, on keys alone."""

import pytest

from liaison.fhir.errors import Forbidden
from liaison.fhir.search import ranked

from .conftest import BASE, Territory


async def test_people_are_in_order_and_the_scopes_hold(territory: Territory) -> None:
    people = [await territory.patient(name=[{"family": family}]) for family in ("Zola", "Aragon", "Hugo")]
    for one in people[:2]:
        await territory.grant(one.patient, 1)

    found = await ranked(territory.store, territory.caller, "Patient", "_sort=family", base_url=BASE)

    assert found == [people[1], people[0]]
    narrow = await territory.session(77, 1, "user/Task.rs")
    with pytest.raises(Forbidden):
        await ranked(territory.store, narrow, "Patient", "_sort=family", base_url=BASE)
