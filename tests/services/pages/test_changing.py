"""What a page changes of a resource of which something was left out: what it was not shown stays."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from liaison.fhir.store.database import Database
from liaison.services.pages.changing import differing
from liaison.services.pages.record import Record, Refused

from ...auth.access.pieces import label
from ...auth.access.territory import Territory, opened

Tree = dict[str, Any]
SECRET = "VIH-POSITIF"


@pytest.fixture
async def territory(database: Database, tmp_path: Path) -> AsyncIterator[Territory]:
    async with opened(database, tmp_path) as territory:
        yield territory


async def task(territory: Territory) -> tuple[Any, Any, str, Tree]:
    """A task about something that the nurse does not see."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    item = await territory.create(gp.caller, territory.item_of(patient, **label("SENS")))
    named = {"reference": item, "display": SECRET}
    tree = {**territory.item_of(patient, "Task"), "focus": named, "note": [{"text": "x"}]}
    return gp, nurse, await territory.create(gp.caller, tree), named


async def test_what_was_left_out_stays(territory: Territory) -> None:
    gp, nurse, reference, named = await task(territory)
    record = Record(territory.engine, nurse.caller)
    read = await record.read(reference)
    assert read is not None
    assert SECRET not in json.dumps(read)
    del read["note"]

    shown = await record.update({**read, "status": "completed", "description": "y"})

    whole = await territory.tree(reference, gp.caller)
    assert (whole["status"], whole["description"], whole["focus"]) == ("completed", "y", named)
    assert "note" not in whole
    assert SECRET not in json.dumps(shown)
    assert shown["status"] == "completed"


async def test_somebody_was_faster(territory: Territory) -> None:
    gp, nurse, reference, _ = await task(territory)
    record = Record(territory.engine, nurse.caller)
    read = await record.read(reference)
    assert read is not None
    assert (await territory.change(gp.caller, reference, description="z")).status == 200

    with pytest.raises(Refused) as refused:
        await record.update({**read, "status": "completed"})

    assert refused.value.answered == 412
    assert (await territory.tree(reference, gp.caller))["description"] == "z"


def test_each_element_that_differs_is_sent_whole() -> None:
    before = {"resourceType": "Task", "id": "t", "meta": {"versionId": "1"}, "status": "draft", "note": [1], "for": {}}
    after = {**before, "meta": {}, "status": "ready", "priority": "stat"}
    del after["note"]

    assert differing(before, after) == [
        {"op": "remove", "path": "/note"},
        {"op": "add", "path": "/priority", "value": "stat"},
        {"op": "replace", "path": "/status", "value": "ready"},
    ]
