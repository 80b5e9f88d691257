"""An address of an item, in whatever text it stands, and a reference beside a primitive are followed like any reference."""

import json
from typing import Any

import pytest

from .pieces import label
from .test_naming_sensitive import SECRET, body, referring, team_of


@pytest.mark.parametrize(
    "element", ["Observation.status.extension", "DocumentReference.content.attachment.url", "Task.instantiatesUri"]
)
async def test_an_address_is_marked_when_the_label_comes_later_too(territory: Any, element: str) -> None:
    """And a patch of who is not shown it keeps it."""
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, **territory.vital()))
    naming = await territory.create(gp.caller, referring(element, item, patient, gp.role))
    assert SECRET.encode() in await body(territory, nurse.caller, naming)

    assert (await territory.change(gp.caller, item, **label("SENS"))).status == 200
    assert SECRET.encode() not in await body(territory, nurse.caller, naming)
    assert item.encode() not in await body(territory, nurse.caller, naming)

    operation: Any = [{"op": "add", "path": "/language", "value": "fr"}]
    patched = await territory.ask(nurse.caller, "PATCH", naming, operation, content_type="application/json-patch+json")
    whole = json.loads(await body(territory, gp.caller, naming))
    assert (whole.get("language") == "fr") == (patched.status == 200)
    assert SECRET in json.dumps(whole)
    assert item in json.dumps(whole)
