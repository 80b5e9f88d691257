"""Reading and writing. The reference reader here is the standard library's, with nothing of ours in it."""

import json
import random
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liaison.fhir.errors import BadRequest, FhirError, TooLarge
from liaison.fhir.model import Number, dump, glance, limits, read, reread

NUMBERS = ["72.50", "0.000000100", "1E3", "-0", "0", "-0.0", "1e-400", "9" * 40, "-" + "8" * 19, "3.14e+09", "12"]

digits = st.text("0123456789", min_size=1, max_size=30)
number_texts = st.builds(
    lambda sign, whole, fraction, exponent: sign + (whole.lstrip("0") or "0") + fraction + exponent,
    st.sampled_from(["", "-"]),
    digits,
    st.one_of(st.just(""), digits.map(".".__add__)),
    st.one_of(
        st.just(""),
        st.builds("{}{}".format, st.sampled_from(["e", "E", "e+", "E-"]), st.text("123456789", min_size=1, max_size=3)),
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


class Literal(str):
    """A number as its text, for writing the sample by hand."""


json_values = st.recursive(
    st.one_of(st.booleans(), texts, number_texts.map(Literal)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=20,
)


def write(value: Any, space: str = "") -> str:
    if isinstance(value, Literal):
        return str.__str__(value)
    if isinstance(value, dict):
        return "{" + ("," + space).join(f"{json.dumps(k)}:{space}{write(v, space)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ("," + space).join(write(item, space) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def number_texts_kept(body: str) -> Any:
    return json.loads(body, parse_float=Literal, parse_int=Literal)


@pytest.mark.parametrize("text", NUMBERS)
def test_a_number_keeps_its_text(text: str) -> None:
    body = f'{{"value":{text}}}'.encode()

    assert dump(read(body)) == body


@given(st.dictionaries(texts, json_values, max_size=5), st.sampled_from(["", " ", "\n\t"]))
def test_what_is_read_is_written_back_unchanged(tree: dict[str, Any], space: str) -> None:
    body = write(tree, space)

    again = dump(read(body.encode()))

    assert write(number_texts_kept(again.decode())) == write(
        number_texts_kept(body)
    )  # same order, same numbers, same strings


@given(number_texts)
def test_a_number_has_the_value_of_its_text(text: str) -> None:
    value = read(f'{{"v":{text}}}'.encode())["v"]

    assert value == Decimal(text)
    assert str(value) == text
    assert f"{value}" == text
    assert type(value) in (int, Number)


def test_formats_and_arithmetic_of_a_number_are_those_of_decimal() -> None:
    assert f"{Number('72.50'):.1f}" == "72.5"
    assert Number("72.50") + 1 == Decimal("73.50")


@pytest.mark.parametrize("text", ["", " 1", "01", "1.", ".5", "+1", "NaN", "Infinity", "1_000", "0x1", "1\n", "١"])
def test_a_number_is_made_of_json_numbers_only(text: str) -> None:
    with pytest.raises(ValueError, match="not a JSON number"):
        Number(text)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "not UTF-8 at byte 0"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b'{"a":\n 1,}', "line 2, column 4"),
        (b'{"a":1', "line 1, column 7"),
        (b'{"a":1}{}', "line 1, column 8"),
        (b'{"a":"x\x01y"}', "control character at line 1, column 8"),
        (b'{"a":"x', "Unterminated string starting at line 1, column 6"),
        (b'{"a":01}', "line 1"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "-Infinity"),
        (b"[]", "JSON object"),
        (b'"x"', "JSON object"),
        (b'{"a":1,"b":2,"a":3}', "'a' occurs more than once"),
        (b'{"a":1,"\\u0061":3}', "'a' occurs more than once"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b"{'a':1}", "line 1, column 2"),
        (b'{"a":[[[', "line 1, column 9"),
    ],
)
def test_what_is_not_clean_json_is_refused_and_said(body: bytes, said: str) -> None:
    with pytest.raises(BadRequest, match=said.replace("[", r"\[")):
        read(body)


def expression_of(body: bytes) -> str:
    with pytest.raises(BadRequest) as caught:
        read(body)
    return caught.value.issues[0].expression


def test_a_fault_inside_a_bundle_is_located() -> None:
    def bundle(inside: str) -> bytes:
        return f'{{"resourceType":"Bundle","entry":[{{}},{{"resource":{{"name":[{inside}]}}}}]}}'.encode()

    assert expression_of(bundle('{"family":"A","family":"B"}')) == "Bundle.entry[1].resource.name[0]"
    assert expression_of(bundle('{"family":"\\udc00"}')) == "Bundle.entry[1].resource.name[0].family"


def test_paired_surrogates_are_one_character() -> None:
    assert read(b'{"a":"\\ud83d\\ude00"}') == {"a": "\U0001f600"}


@pytest.mark.parametrize(
    ("escaped", "written"),
    [
        pytest.param(r"caf\u00e9", "café", id="a letter"),
        pytest.param(r"1\/2", "1/2", id="a slash"),
        pytest.param(r"\ud83d\ude42", "🙂", id="a pair"),
        pytest.param(r"a\u000Ab", r"a\nb", id="a line"),
        pytest.param(r"\u001f", r"\u001f", id="a control"),
        pytest.param(r"\u2028", "\u2028", id="a line separator"),
        pytest.param(r"\"\\", r"\"\\", id="what must be escaped"),
    ],
)
def test_an_escape_is_the_character_and_is_written_where_json_needs_it(escaped: str, written: str) -> None:
    """RFC 8259 §7, §8.3: the same string (docs/api/create.md)."""
    body = f'{{"resourceType":"Basic","{escaped}":"{escaped}"}}'.encode()

    kept = dump(read(body))

    assert kept == f'{{"resourceType":"Basic","{written}":"{written}"}}'.encode()
    assert json.loads(kept) == json.loads(body)


def test_a_name_from_outside_is_not_repeated_in_the_answer() -> None:
    with pytest.raises(BadRequest) as caught:
        read(b'{"Mme Dupont":1,"Mme Dupont":2}')

    assert "Dupont" not in str(caught.value)


def nested(depth: int, opening: str = "[", closing: str = "]") -> bytes:
    return ('{"a":' + opening * (depth - 1) + closing * (depth - 1) + "}").encode()


def test_depth_40_is_read_and_41_is_not() -> None:
    assert read(nested(40))
    with pytest.raises(BadRequest, match="line 1, column 45"):
        read(nested(41))


@pytest.mark.parametrize("depth", [1_000, 1_000_000])
def test_great_depth_is_an_answer_not_a_crash(depth: int) -> None:
    with pytest.raises(BadRequest, match="40 deep"):
        read(nested(depth))
    with pytest.raises(BadRequest):
        read(b'{"a":' + b"[" * depth)
    with pytest.raises(BadRequest, match="40 deep"):
        read(b'{"a":' + b"[" * depth + b"}" * depth + b"}")


@given(json_values, st.integers(1, 6))
def test_depth_is_measured_on_structure_only(value: Any, limit: int) -> None:
    def depth(node: Any) -> int:
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else None
        return 0 if children is None else 1 + max(map(depth, children), default=0)

    body = write(value).encode()
    try:
        limits.check_depth(body, limit)
        within = True
    except BadRequest:
        within = False

    assert within == (depth(value) <= limit)


def test_brackets_and_quotes_in_strings_do_not_count() -> None:
    tree = {"a": "{[" * 60 + '"\\', "b": ['\\"]}', "{" * 50]}

    assert read(json.dumps(tree).encode()) == tree


def test_size_and_entries_are_bounded() -> None:
    with pytest.raises(TooLarge):
        read(b" " * (limits.BODY + 1))
    entries = b",".join([b"{}"] * 5_000)
    assert len(read(b'{"entry":[' + entries + b"]}")["entry"]) == 5_000
    with pytest.raises(TooLarge, match="5001"):
        read(b'{"entry":[' + entries + b",{}]}")


@given(st.binary(max_size=60) | st.text('{}[]",:\\ 1a', max_size=40).map(str.encode))
def test_any_bytes_give_a_tree_or_a_clear_refusal(body: bytes) -> None:
    try:
        tree = read(body)
    except FhirError as error:
        assert error.status in (400, 413)
        return
    assert read(dump(tree)) == tree


def test_no_text_makes_reading_slow() -> None:
    shuffled = random.Random(5)
    for body in (b'{"a":"' + b'\\"' * 4_000_000, b'"' * 8_000_001, bytes(shuffled.choices(b'{}[]"\\', k=4_000_000))):
        start = time.process_time()
        with pytest.raises(BadRequest):
            read(body)
        assert time.process_time() - start < 5


def test_what_json_does_not_know_is_not_written() -> None:
    with pytest.raises(TypeError):
        dump({"value": object()})


@given(number_texts)
def test_a_glance_gives_each_number_its_value(text: str) -> None:
    for body in (f'{{"id":"1e5","a":[1,{text}]}}', f'{{"a":[{{"b":1}}, {text}]}}'):
        seen, kept = (way(body.encode())["a"][1] for way in (glance, read))
        assert (Decimal(repr(seen)) if isinstance(seen, float) else Decimal(seen)) == Decimal(kept)


@given(number_texts)
@example("72.50")
@example("0.00001")
@example("-0")
@example("-0.0")
@example("10.0")
@example("123456789012345.6")
def test_what_is_reread_is_written_back_to_the_letter(text: str) -> None:
    for body in (f'{{"id":"1e5","a":[1,{text}]}}', f'{{"a":[{{"b":{text}}}, 2.5 , {text} ]}}'):
        assert dump(reread(body.encode())) == dump(read(body.encode()))


@pytest.mark.parametrize(
    "text",
    ["1e1000", "-1E999999999", "1e+0001000", "-0.1e-999999999", "1" + "0" * 400, "0." + "1" * 400],
    ids=["beyond", "vast", "padded", "tiny", "long", "precise"],
)
def test_a_number_too_large_to_work_with_is_refused_where_it_is(text: str) -> None:
    body = (
        f'{{"resourceType":"Observation","note":[null,"{text}"],"component":[{{"valueQuantity":{{"value":{text}}}}}]}}'
    )
    with pytest.raises(BadRequest, match="an exponent of more than 3 digits") as refused:
        read(body.encode())
    assert refused.value.issues[0].expression == "Observation.component[0].valueQuantity.value"


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e-0000999", "0e999", "0." + "1" * 398, "1" + "0" * 399],
    ids=["large", "small", "none", "precise", "long"],
)
def test_a_number_within_the_limits_is_kept(text: str) -> None:
    assert dump(read(f'{{"a":{text}}}'.encode())) == f'{{"a":{text}}}'.encode()
