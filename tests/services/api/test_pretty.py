"""An answer laid out for human eyes says what it said, byte for byte but for white space."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.services.api import pretty

NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8")).map(lambda text: json.dumps(text, ensure_ascii=False))
LEAVES = st.one_of(NUMBERS, TEXTS, st.sampled_from(["true", "false", "null", "[]", "{}"]))


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.dictionaries(st.text('abc{}[],: \\"\n', max_size=4), inner, max_size=4)
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda found: f"[{','.join(found)}]"),
        members.map(lambda found: "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in found.items()) + "}"),
    )


def told(body: bytes) -> Any:
    """What a JSON text says: order of names and text of numbers included."""
    return json.loads(body, object_pairs_hook=lambda pairs: ("object", pairs), parse_float=str, parse_int=str)


@given(st.recursive(LEAVES, _containers))
def test_nothing_but_white_space_is_added(text: str) -> None:
    before = text.encode()

    after = pretty.indented(before)

    assert told(after) == told(before)


@pytest.mark.parametrize("number", ["72.50", "0.000000100", "1E+2", "-0", "123456789012345678901234567890"])
def test_a_number_keeps_its_text(number: str) -> None:
    assert pretty.indented(f'{{"z":{number},"a":[{number}]}}'.encode()) == (
        f'{{\n  "z": {number},\n  "a": [\n    {number}\n  ]\n}}\n'.encode()
    )


async def test_a_long_answer_is_the_same_in_a_thread() -> None:
    body = json.dumps([{"value": "x" * 100}] * 1000).encode()
    assert len(body) > pretty.LARGE

    assert await pretty.laid_out(body) == pretty.indented(body)
