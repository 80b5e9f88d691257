"""What an expression gives of the part of a record that it can keep is what it gives of the whole."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.protocols.expressions import collection
from liaison.protocols.narrowing import Part, Recorded, parts_of

ALL = "%record.entry.resource"
SEEN = f"{ALL}.ofType(Observation)"
EXPRESSIONS = (
    f"{SEEN}.where(code.coding.code contains 'a').last().id",
    f"{SEEN}.where((code.coding.code contains 'a' or code.coding.code contains 'b') and status != 'c').id",
    f"{SEEN}.where(code.coding.where(code = 'a' and system = 'b').exists()).id",
    f"{SEEN}.where(code.coding.exists(code = 'a')).id",
    f"{SEEN}.where('a' in code.coding.code and status = 'b').count()",
    f"{SEEN}.where(status = 'a' or code.coding.empty()).id",
    f"{SEEN}.where(status != 'a').id",
    f"{SEEN}.where(status = 'a' xor status = 'b').id",
    f"{SEEN}.where((status = 'a').not()).id",
    f"{SEEN}.where(status ~ 'A').id",
    f"{SEEN}.where(status.upper() = 'A').id",
    f"{SEEN}.where('a' = 'a').id",
    f"{SEEN}.where(status = 'a' implies false).id",
    f"{SEEN}.where($index = 1 and status = 'a').id",
    f"{SEEN}.where(status = 'a' and $this.id.exists()).id",
    f"{SEEN}.where(code.coding.code.first() = 'a').id",
    f"{SEEN}.first().id",
    f"{SEEN}.id",
    f"{ALL}.ofType(Task).where(status = 'a').empty()",
    f"iif({SEEN}.where(status = 'a').exists(), {ALL}.ofType(Task).where(status = 'b').id, {SEEN}.where(status = 'c').id)",
    f"{ALL}.where(status = 'a').id",
    f"{ALL}.ofType(Task).where(status = {SEEN}.where(code.coding.code contains 'b').first().status).id",
    f"{ALL}.ofType(Task).where({SEEN}.where(status = 'a').exists() and id.exists()).id",
    f"{ALL}.ofType(Task).where(({SEEN}.status contains 'a') or status = 'b').id",
    f"{ALL}.ofType(Task).where({SEEN}.id.exists()).id",
    f"{ALL}.ofType(Task).where(({SEEN} | id).count() > 1 and status = 'b').id",
    f"{ALL}.ofType(Task).where({SEEN} != status and status = 'b').id",
    "%record.entry.count()",
)
words = st.sampled_from(["a", "b", "c", "A"])
codings = st.lists(st.fixed_dictionaries({"code": words}, optional={"system": words}), max_size=2)
resources = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Observation", "Task", "Patient"])},
    optional={"status": words, "code": st.fixed_dictionaries({"coding": codings})},
)


@pytest.mark.parametrize("expression", EXPRESSIONS)
@given(several=st.lists(resources, max_size=6))
def test_a_narrowed_record_gives_what_the_whole_one_gives(expression: str, several: list[dict[str, Any]]) -> None:
    named = [{**one, "id": str(number)} for number, one in enumerate(several)]
    whole = {"resourceType": "Bundle", "entry": [{"resource": one} for one in named]}

    assert collection(expression, {}, {"record": Recorded(named)}) == collection(expression, {}, {"record": whole})


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        (EXPRESSIONS[0], (Part("Observation", frozenset("a")),)),
        (EXPRESSIONS[1], (Part("Observation", frozenset("ab")),)),
        (EXPRESSIONS[2], (Part("Observation", frozenset("a")),)),
        (EXPRESSIONS[6], (Part("Observation", None),)),
        (f"{SEEN}.where(code.coding.code contains 'it\\'s')", (Part("Observation", None),)),
        ("%record.entry.count()", None),
        ("today()", ()),
    ],
)
def test_what_an_expression_can_keep(expression: str, parts: tuple[Part, ...] | None) -> None:
    assert parts_of(expression) == parts


def test_the_resources_that_cannot_count_are_left_out() -> None:
    record = Recorded([{"resourceType": "Observation", "status": "a"}, {"resourceType": "Observation", "status": "b"}])

    assert [one["resource"]["status"] for one in record.seen_by(f"{SEEN}.where(status = 'b')")["entry"]] == ["b"]
