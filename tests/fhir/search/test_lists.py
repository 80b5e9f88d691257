"""_list: the resources that a List names, and no others."""

from typing import Any

import pytest

from liaison.fhir.errors import BadRequest
from liaison.fhir.store.contract import Key

from .conftest import Territory


@pytest.mark.parametrize("mode", ["changes", "working"])
async def test_what_was_taken_off_a_list_is_not_on_it(team: tuple[Territory, Key], mode: str) -> None:
    """R4 list.html: an entry with `deleted` says that its item has been taken off the list."""
    territory, patient = team
    kept, gone, both = [await territory.observation(patient, code) for code in ("1", "2", "3")]
    entries: list[dict[str, Any]] = [
        {"item": {"reference": f"Observation/{territory.id(key)}"}} | more
        for key, more in ((kept, {}), (gone, {"deleted": True}), (both, {"deleted": True}), (both, {"deleted": False}))
    ]
    subject = {"reference": f"Patient/{territory.id(patient)}"}
    tree = {"resourceType": "List", "status": "current", "mode": mode, "subject": subject, "entry": entries}
    list_ = territory.id(await territory.add(tree, patient))
    wanted = [territory.id(both), territory.id(kept)]
    for query in (f"_list={list_}&_sort=-_lastUpdated", f"_list=List/{list_}&_sort=-code"):
        assert (await territory.search("Observation", query)).ids == wanted, query
    empty = territory.id(await territory.add({**tree, "entry": entries[1:2]}, patient))
    assert (await territory.search("Observation", f"_list={empty}&_total=accurate")).total == 0


@pytest.mark.parametrize(
    "name", ["current-problems", "current-allergies", "current-medications", "current-drug-allergies"]
)
async def test_a_list_by_function_is_refused_by_its_name(team: tuple[Territory, Key], name: str) -> None:
    """An empty answer would be read as: no allergies."""
    territory, _ = team
    with pytest.raises(BadRequest) as refused:
        await territory.search("AllergyIntolerance", f"_list=${name}")
    told = refused.value.issues[0].diagnostics
    assert f"'${name}'" in told and "clinical-status=active" in told
