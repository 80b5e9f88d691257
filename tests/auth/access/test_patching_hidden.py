"""A patch neither reads nor changes what its sender may not know of: it is answered as though that were not there, and is
refused where it would touch it all the same."""

import json
from dataclasses import replace
from typing import Any

import pytest

from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.interactions import patching
from liaison.fhir.store.contract import Opened

from .pieces import label
from .test_naming_sensitive import NARRATIVE, SECRET, body, ref, team_of
from .test_rules_social import NAMED, named_consent

Tree = dict[str, Any]
WORDS = "words beside"


def operation(op: str, path: str, **more: Any) -> Tree:
    return {"op": op, "path": path, **more}


# By what is tried, with the item at `/supportingInfo/0` and in `/reasonReference`, where nothing else is.
READING: dict[str, list[Tree]] = {
    "copies the words": [operation("copy", "/code/text", **{"from": "/reasonReference/0/display"})],
    "copies the narrative": [operation("copy", "/code/text", **{"from": "/text/div"})],
    "moves it": [operation("move", "/basedOn", **{"from": "/reasonReference"})],
    "compares it": [operation("test", "/reasonReference/0/display", value=SECRET)],
    "compares what is after it": [operation("test", "/supportingInfo/1/display", value=WORDS)],
    "changes it": [operation("replace", "/reasonReference/0/display", value="x")],
    "removes it": [operation("remove", "/reasonReference")],
    "counts what is before another": [operation("replace", "/supportingInfo/1/display", value="x")],
}
TOUCHING: dict[str, list[Tree]] = {
    "means another": [operation("replace", "/supportingInfo/0/display", value="x")],
    "copies another": [operation("copy", "/code/text", **{"from": "/supportingInfo/0/display"})],
    "writes the narrative anew": [operation("add", "/text", value={**NARRATIVE, "status": "generated"})],
    "removes all": [operation("remove", "/supportingInfo")],
    "writes over it": [operation("add", "/reasonReference", value=[{"display": "x"}])],
}


async def order(territory: Any, hidden: bool) -> tuple[Any, Any, str, str]:
    """A request with an item that the nurse does not see, or without."""
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition", **label("SENS")))
    other = await territory.create(gp.caller, territory.item_of(patient, "Condition"))
    tree = {**territory.item_of(patient, "ServiceRequest"), "code": {"text": "x"}}
    shown = {"reference": other, "display": WORDS}
    if hidden:
        tree |= {"reasonReference": [ref(item)], "supportingInfo": [ref(item), shown], "text": NARRATIVE}
    else:
        tree |= {"supportingInfo": [shown]}
    return gp, nurse, await territory.create(gp.caller, tree), item


async def patched(territory: Any, caller: Any, path: str, operations: Any) -> Any:
    return await territory.ask(
        caller, "PATCH", path, operations, content_type="application/json-patch+json", prefer="return=representation"
    )


@pytest.mark.parametrize("name", READING)
async def test_what_would_read_it_is_answered_as_though_it_were_not_there(territory: Any, name: str) -> None:
    gp, nurse, naming, _ = await order(territory, True)
    _, stranger, plain, _ = await order(territory, False)
    before = await body(territory, gp.caller, naming)

    answer = await patched(territory, nurse.caller, naming, READING[name])
    absent = await patched(territory, stranger.caller, plain, READING[name])

    assert answer.status >= 400
    assert (answer.status, answer.body) == (absent.status, absent.body)
    assert await body(territory, gp.caller, naming) == before
    assert SECRET.encode() not in await body(territory, nurse.caller, naming)
    assert (await patched(territory, gp.caller, naming, READING[name])).status in (200, 422)  # who sees it may


@pytest.mark.parametrize("name", TOUCHING)
async def test_what_would_change_it_is_refused(territory: Any, name: str) -> None:
    gp, nurse, naming, item = await order(territory, True)
    before = await body(territory, gp.caller, naming)

    answer = await patched(territory, nurse.caller, naming, TOUCHING[name])

    assert answer.status == 422
    assert b"not shown" in answer.body
    assert item.encode() not in answer.body
    assert await body(territory, gp.caller, naming) == before
    assert (await patched(territory, gp.caller, naming, TOUCHING[name])).status == 200


async def test_a_patch_of_fhirpath_is_held_to_it_too(territory: Any) -> None:
    gp, nurse, naming, _ = await order(territory, True)
    before = await body(territory, gp.caller, naming)

    def operation(kind: str, path: str, **more: str) -> Tree:
        parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
        parts += [{"name": name, "valueString": value} for name, value in more.items()]
        return {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]}

    for patch in (
        operation("delete", "ServiceRequest.reasonReference[0]"),
        operation("replace", "ServiceRequest.supportingInfo[0].display", value="x"),
        operation("replace", f"ServiceRequest.supportingInfo.where(display = '{WORDS}').display", value="x"),
    ):
        answer = await territory.ask(nurse.caller, "PATCH", naming, patch)
        if "where" not in str(patch):
            assert answer.status == 422 or await body(territory, gp.caller, naming) == before
            assert await body(territory, gp.caller, naming) == before
    assert answer.status == 200, answer.body  # named by what it is, not by its place
    whole = json.loads(await body(territory, gp.caller, naming))
    assert [one["display"] for one in whole["supportingInfo"]] == [SECRET, "x"]
    assert whole["reasonReference"][0]["display"] == SECRET


async def test_without_that_the_words_are_copied(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fault planted."""
    monkeypatch.setattr(patching, "_as_shown", lambda write: None)
    _, nurse, naming, _ = await order(territory, True)

    assert (await patched(territory, nurse.caller, naming, READING["copies the words"])).status == 200
    assert SECRET.encode() in await body(territory, nurse.caller, naming)


# By the criteria of a scope that names the item, or another: whether a patch of the status and one of a note are let through.
SCOPED = {
    "user/Observation.cruds?focus={item}": (404, 404),
    "user/Observation.cruds?focus={item} user/Observation.cruds?code=x": (200, 200),
    "user/Observation.cruds?focus={item} user/Observation.cruds?status=final": (403, 200),
}


@pytest.mark.parametrize("scopes", SCOPED)
async def test_the_criteria_of_a_scope_ask_about_nothing_hidden(territory: Any, scopes: str) -> None:
    gp, nurse, patient = await team_of(territory, "gp", "nurse")
    item = await territory.create(gp.caller, territory.item_of(patient, "Condition", **label("SENS")))
    tree = {**territory.item_of(patient, "Observation"), "status": "final", "code": {"coding": [{"code": "x"}]}}
    patches = [[operation("replace", "/status", value="amended")], [operation("add", "/note", value=[{"text": "x"}])]]

    for named in (item, "Condition/" + "0" * 32):
        scoped = replace(nurse.caller, bound=read_scopes(scopes.format(item=named)))
        paths = [await territory.create(gp.caller, tree | {"focus": [ref(item)]}) for _ in patches]
        answers = [(await patched(territory, scoped, *one)).status for one in zip(paths, patches, strict=True)]
        assert tuple(answers) == SCOPED[scopes], named
    seeing = replace(gp.caller, bound=read_scopes(scopes.format(item=item)))
    assert (await patched(territory, seeing, paths[0], patches[0])).status == 200  # who sees it goes by it


@pytest.mark.parametrize(
    ("scopes", "where", "name", "fault"),
    [(next(iter(SCOPED)), Opened, "is_cut", False), ([*SCOPED][2], patching, "without", lambda tree, _hidden: tree)],
    ids=["what was there", "what is written"],
)
async def test_without_that_a_scope_tells_of_it(
    territory: Any, monkeypatch: pytest.MonkeyPatch, scopes: str, where: Any, name: str, fault: Any
) -> None:
    """The faults planted."""
    monkeypatch.setattr(where, name, fault)

    with pytest.raises(AssertionError):
        await test_the_criteria_of_a_scope_ask_about_nothing_hidden(territory, scopes)


async def test_who_is_shown_no_names_asks_about_none(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row 24: an officer changes no Consent, and the refusal tells nothing of the names in it."""
    officer, (_, consent) = await territory.mandated("dpo"), await named_consent(territory)

    async def answers() -> set[tuple[int, bytes]]:
        guesses = [[operation("test", "/patient/display", value=name)] for name in (NAMED[0], "another")]
        found = [await patched(territory, officer.caller, consent, one) for one in guesses]
        return {(one.status, one.body) for one in found}

    assert [status for status, _ in await answers()] == [403]
    monkeypatch.setattr(patching, "require_named", lambda found: None)  # the fault planted
    assert len(await answers()) == 2


@pytest.mark.parametrize("tagged", [True, False], ids=["tagged", "tag taken off"])
@pytest.mark.parametrize("way", ["update", "transaction", "conditional update"])
async def test_a_copy_with_something_left_out_is_not_written_back(territory: Any, way: str, tagged: bool) -> None:
    """Its sender cannot know what the rest was: it would be lost without a word."""
    gp, nurse, path, _item = await order(territory, hidden=True)
    whole = await territory.tree(path)
    shown = json.loads((await territory.ask(nurse.caller, "GET", path)).body)
    if not tagged:
        shown["meta"].pop("tag", None)
    shown["code"] = {"text": "y"}
    if way == "update":
        answer = await territory.ask(nurse.caller, "PUT", path, shown)
    elif way == "transaction":
        entry = {"resource": shown, "request": {"method": "PUT", "url": path}}
        bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
        answer = await territory.ask(nurse.caller, "POST", "", bundle)
    else:
        criteria = f"_id={path.partition('/')[2]}&patient={shown['subject']['reference']}"
        answer = await territory.ask(nurse.caller, "PUT", f"ServiceRequest?{criteria}", shown)

    assert answer.status == 422, answer.body
    assert await territory.tree(path) == whole
    # Who sees all of it writes it as before.
    assert (await territory.ask(gp.caller, "PUT", path, {**whole, "code": {"text": "y"}})).status == 200


async def test_a_guard_left_out_shows(territory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: without it the update goes through, and what was hidden is gone."""
    monkeypatch.setattr(patching, "keep_hidden", lambda writes: None)
    _gp, nurse, path, _item = await order(territory, hidden=True)
    shown = json.loads((await territory.ask(nurse.caller, "GET", path)).body)
    shown["meta"].pop("tag", None)

    assert (await territory.ask(nurse.caller, "PUT", path, shown)).status == 200
    assert "reasonReference" not in await territory.tree(path)
