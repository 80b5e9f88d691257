"""JSON Patch: the operations, their errors, and what stays as it was."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.errors import BadRequest, FhirError, TooLarge, Unprocessable
from liaison.fhir.model import dump, read
from liaison.fhir.model.patch import json_patch
from liaison.fhir.model.patch.rfc6902 import equal

WEIGHT = b"""{"resourceType":"Observation","id":"a","meta":{"versionId":"3","lastUpdated":"2026-01-31T08:00:00.000Z"},
"status":"final","code":{"text":"poids"},"valueQuantity":{"value":72.50,"unit":"kg"},
"referenceRange":[{"low":{"value":0.000000100}},{"low":{"value":1e2}}],"note":[{"text":"\\u00e9t\\u00e9 / ~"}]}"""


def patched(*operations: dict[str, Any], body: bytes = WEIGHT) -> dict[str, Any]:
    return json_patch(json.dumps(operations).encode())(read(body))


def op(kind: str, path: str, **more: Any) -> dict[str, Any]:
    return {"op": kind, "path": path, **more}


def test_what_a_patch_does_not_name_keeps_its_bytes() -> None:
    before = read(WEIGHT)

    found = dump(patched(op("replace", "/status", value="amended")))

    assert found == dump(before).replace(b'"final"', b'"amended"')
    assert b'"value":72.50' in found
    assert b"0.000000100" in found
    assert b"1e2" in found


def test_a_number_of_the_patch_keeps_its_digits() -> None:
    body = b'[{"op":"replace","path":"/valueQuantity/value","value":71.00}]'

    assert b'"value":71.00' in dump(json_patch(body)(read(WEIGHT)))


@pytest.mark.parametrize(
    ("operations", "path", "expected"),
    [
        ([op("add", "/language", value="fr")], ["language"], "fr"),
        ([op("add", "/note/0", value={"text": "x"})], ["note", 0, "text"], "x"),
        ([op("add", "/note/1", value={"text": "x"})], ["note", 1, "text"], "x"),
        ([op("add", "/note/-", value={"text": "x"})], ["note", 1, "text"], "x"),
        ([op("add", "/category", value=[]), op("add", "/category/-", value={"text": "x"})], ["category", 0, "text"], "x"),
        ([op("replace", "/code/text", value="x")], ["code", "text"], "x"),
        ([op("move", "/code/coding", **{"from": "/note"})], ["code", "coding", 0, "text"], "été / ~"),
        ([op("copy", "/note/-", **{"from": "/note/0"})], ["note", 1, "text"], "été / ~"),
        ([op("test", "/status", value="final"), op("add", "/language", value="fr")], ["language"], "fr"),
        ([op("test", "/valueQuantity/value", value=72.5)], ["status"], "final"),
        ([op("remove", "/referenceRange/0")], ["referenceRange", 0, "low", "value"], 100),
    ],
)  # fmt: skip
def test_operations_do_what_rfc_6902_says(operations: list[Any], path: list[Any], expected: object) -> None:
    here: Any = patched(*operations)
    for step in path:
        here = here[step]

    assert here == expected


def test_tilde_and_slash_of_a_name_are_escaped() -> None:
    body = b'{"resourceType":"Basic","a/b":{"m~n":"x"}}'

    assert patched(op("replace", "/a~1b/m~0n", value="y"), body=body)["a/b"]["m~n"] == "y"


def test_the_last_item_taken_out_takes_the_list_along() -> None:
    found = patched(
        op("remove", "/note/0"), op("remove", "/code/text"), op("add", "/code/coding", value=[{"code": "x"}])
    )

    assert "note" not in found
    assert found["code"] == {"coding": [{"code": "x"}]}


@pytest.mark.parametrize(
    ("operation", "status", "said"),
    [
        (op("remove", "/nothing"), 422, "nothing at this path"),
        (op("replace", "/status/deeper", value=1), 422, "nothing at this path"),
        (op("remove", "/note/1"), 422, "no such item"),
        (op("add", "/note/2", value={}), 422, "no such item"),
        (op("remove", "/note/00"), 422, "its number"),
        (op("remove", "/note/-"), 422, "its number"),
        (op("test", "/status", value="amended"), 422, "test does not hold"),
        (op("remove", ""), 422, "delete it"),
        (op("move", "/note/0/x", **{"from": "/note/0"}), 422, "into itself"),
        (op("replace", "/id", value="b"), 422, "cannot change id"),
        (op("remove", "/id"), 422, "cannot change id"),
        (op("replace", "/resourceType", value="Patient"), 422, "cannot change resourceType"),
        (op("replace", "/meta/versionId", value="9"), 422, "cannot change meta.versionId"),
        (op("remove", "/meta"), 422, "cannot change meta.versionId"),
        (op("replace", "", value={"resourceType": "Patient"}), 422, "cannot change resourceType"),
        (op("replace", "", value=[1]), 422, "no resource"),
        (op("delete", "/status"), 400, "'op' is one of"),
        (op("add", "/status"), 400, "'value' is missing"),
        (op("copy", "/status"), 400, "'from' is missing"),
        (op("remove", "status"), 400, "begins with '/'"),
        (op("remove", "/a~2"), 400, "written ~0"),
        ({"op": "remove"}, 400, "no 'path'"),
        (7, 400, "not an object"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_named(operation: Any, status: int, said: str) -> None:
    with pytest.raises(FhirError) as caught:
        patched(operation)

    assert caught.value.status == status
    assert said in str(caught.value)
    assert "poids" not in str(caught.value)  # no value of the record


def test_the_operation_and_its_path_are_named() -> None:
    with pytest.raises(Unprocessable, match=r"^Operation 2 \(remove\) at '/nothing'"):
        patched(op("test", "/status", value="final"), op("remove", "/nothing"))
    for kind in ("copy", "move"):
        with pytest.raises(Unprocessable, match=rf"^Operation 1 \({kind} from\) at '/nothing': there is nothing"):
            patched(op(kind, "/issued", **{"from": "/nothing"}))


@pytest.mark.parametrize("body", [b"{}", b"1", b'"x"'])
def test_a_patch_is_an_array(body: bytes) -> None:
    with pytest.raises(BadRequest, match="array of operations"):
        json_patch(body)


def test_more_operations_than_a_thousand_are_refused() -> None:
    with pytest.raises(BadRequest, match="at most 1000 operations"):
        patched(*[op("test", "/status", value="final")] * 1001)


def test_copying_cannot_make_a_huge_resource_of_a_small_patch() -> None:
    doubling = [op("copy", f"/note/0/e{n}", **{"from": "/note"}) for n in range(4)]
    wide = [op("add", "/note/-", value={"text": "x" * 100_000})]
    wide += [op("copy", "/note/-", **{"from": "/note/1"})] * 999

    with pytest.raises(BadRequest, match="nests"):
        patched(
            *doubling, *[op("copy", "/code/x", **{"from": "/note"}), op("copy", "/note/0/y", **{"from": "/code"})] * 40
        )
    for copies in (wide[:13], wide):  # some 1.2 MB of copies, and 100 MB
        with pytest.raises(TooLarge):
            patched(*copies)
    patched(*wide[:9])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(_JSON, _JSON)
def test_equality_is_that_of_json(one: Any, other: Any) -> None:
    assert equal(one, one)
    assert equal(one, other) is (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def _pointers(node: Any, at: str = "") -> list[str]:
    found = [at]
    if isinstance(node, dict):
        for name, child in node.items():
            found += _pointers(child, f"{at}/{name}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            found += _pointers(child, f"{at}/{index}")
    return found


@given(st.sampled_from([p for p in _pointers(read(WEIGHT)) if p.count("/") > 1 and not p.startswith("/meta")]))
def test_moving_there_and_back_changes_nothing_but_the_order(path: str) -> None:
    found = patched(op("move", "/x", **{"from": path}), op("add", "/y", value=1), op("move", path, **{"from": "/x"}))
    del found["y"]

    assert equal(found, read(WEIGHT))
