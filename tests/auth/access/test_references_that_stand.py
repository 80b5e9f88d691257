"""What refers to something that was deleted, or is hidden from the writer, is corrected all the same: a reference that stood
there was checked when it was written. A new one leads somewhere, or is refused."""

from typing import Any

import pytest

from .pieces import label

PATCH = "application/json-patch+json"


async def settled(territory: Any, how: str) -> tuple[Any, str, str]:
    """(the nurse, what refers to a weight, the weight): the weight is gone, or closed to her."""
    nurse = await territory.person("nurse")
    patient = await territory.patient(nurse)
    author = nurse.caller if how == "deleted" else territory.system  # what one wrote oneself, one sees
    weight = await territory.create(author, territory.item_of(patient, **territory.vital()))
    naming = {**territory.item_of(patient, "Condition"), "evidence": [{"detail": [{"reference": weight}]}]}
    referring = await territory.create(nurse.caller, naming)
    if how == "deleted":
        assert (await territory.ask(nurse.caller, "DELETE", weight)).status == 204
    else:
        assert (await territory.change(territory.system, weight, **label("PSY"))).status == 200
    return nurse, referring, weight


@pytest.mark.parametrize("how", ["deleted", "hidden"])
async def test_it_is_updated_and_patched(territory: Any, how: str) -> None:
    nurse, referring, weight = await settled(territory, how)

    assert (await territory.change(nurse.caller, referring, language="fr")).status == 200
    patch: Any = [{"op": "replace", "path": "/language", "value": "br"}]
    assert (await territory.ask(nurse.caller, "PATCH", referring, patch, content_type=PATCH)).status == 200
    assert (await territory.tree(referring))["evidence"] == [{"detail": [{"reference": weight}]}]


@pytest.mark.parametrize("how", ["deleted", "hidden"])
async def test_a_new_reference_to_it_is_refused(territory: Any, how: str) -> None:
    nurse, referring, _ = await settled(territory, how)
    tree = await territory.tree(referring)
    again = {name: value for name, value in tree.items() if name not in ("id", "meta")}
    other = {name: value for name, value in again.items() if name != "evidence"}

    assert (await territory.ask(nurse.caller, "POST", "Condition", again)).status == 422
    plain = await territory.create(nurse.caller, other)
    patch: Any = [{"op": "add", "path": "/evidence", "value": again["evidence"]}]
    assert (await territory.ask(nurse.caller, "PATCH", plain, patch, content_type=PATCH)).status == 422
