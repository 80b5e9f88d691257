"""Bytes to tree and back, with every number's own text. http://hl7.org/fhir/R4/json.html"""

import gc
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, NoReturn

import orjson

from liaison.fhir.errors import BadRequest
from liaison.fhir.model import limits
from liaison.fhir.model.number import Number, integer
from liaison.fhir.model.tree import Tree


class _Repeated(Exception):
    """A property name occurs twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Repeated
    return found


class _Wide(Exception):
    """A number that limits.holds does not let in."""


def _decimal(text: str) -> Number:
    # What is short and has no exponent is within every limit.
    if (len(text) > 15 or "e" in text or "E" in text) and not limits.holds(text):
        raise _Wide
    return Number(text)


def _integer(text: str) -> int | Number:
    return _decimal(text) if len(text) > 18 else integer(text)


def _not_a_number(name: str) -> NoReturn:
    raise BadRequest(f"{name} is not a JSON number.")


_read = json.JSONDecoder(
    parse_float=_decimal, parse_int=_integer, parse_constant=_not_a_number, object_pairs_hook=_unique
).decode


def read(body: bytes) -> Tree:
    """The resource in `body`: dict, list, str, bool, int and Number, in the order and with the text they came in.

    BadRequest (or TooLarge) that says where, for anything over the limits of liaison.fhir.model.limits, for what is
    not UTF-8 JSON, and for what two readers could read differently. Nothing of FHIR is checked: that is `validate`.
    """
    tree = read_json(body)
    if type(tree) is not dict:
        raise BadRequest("A resource is a JSON object.")
    limits.check_entries(tree)
    return tree


# A number that a float may not hold has more than 15 digits, or an exponent. Looked for in what is left of a text when its
# digits are all the same and what precedes a number is a colon: in half the time of a pattern that names them one by one.
_ALIKE: Final = bytes.maketrans(b"0123456789.E,[", b"00000000000e::")
_BLANKS: Final = b" \t\r\n-"
_LONG: Final = re.compile(rb":(?:0{16}|0+e)")


def glance(body: bytes) -> Tree:
    """What is stored, for its values: a number is of the same value as its text, but may not tell how it was written.

    In a sixth of the time of `read`: a float is its number's nearest, and gives up to 15 digits back as they were.
    """
    return read(body) if _LONG.search(body.translate(_ALIKE, _BLANKS)) else orjson.loads(body)


# A number of which a float would be written otherwise: those, one that ends in 0, one that begins with zeros, -0.
_TEXTUAL: Final = re.compile(
    rb"[:,\[]\s*-?(?:[0-9.]{16,}|[0-9.]+[eE]|[0-9]+\.[0-9]*0\s*[,}\]]|0\.000|(?<=-)0\s*[,}\]])"
)


def reread(body: bytes) -> Tree:
    """What is stored or answered, to be changed and written back: `dump` gives its numbers as they were."""
    return read(body) if _TEXTUAL.search(body) else orjson.loads(body)


def read_json(body: bytes) -> Any:
    """The same for any JSON text: an array of patch operations is no resource."""
    limits.check_size(body)
    if not body.strip():
        raise BadRequest("The body is empty.")
    if body.startswith(b"\xef\xbb\xbf"):
        raise BadRequest("The body starts with a byte order mark; FHIR JSON is UTF-8 without one.")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8 at byte {error.start}.") from None
    limits.check_depth(body)
    try:
        tree = _parse(text)
    except json.JSONDecodeError as error:
        what = error.msg.removesuffix(" at")  # some of Python's sentences end so already
        raise BadRequest(f"Not JSON: {what} at line {error.lineno}, column {error.colno}.") from None
    except _Repeated:
        raise _repeated(text) from None
    except _Wide:
        raise _wide(text) from None
    if "\\u" in text:
        _check_surrogates(tree)
    return tree


def _parse(text: str) -> Any:
    """Parsing makes no cycles, and collecting garbage half way through a large bundle costs as much as reading it."""
    if len(text) < 262_144 or not gc.isenabled():
        return _read(text)
    gc.disable()
    try:
        return _read(text)
    finally:
        gc.enable()


def dump(tree: Tree | Sequence[Tree]) -> bytes:
    """The bytes of a tree, or of a JSON Patch: compact UTF-8, keys in their order, numbers by their own text."""
    return orjson.dumps(tree, default=_write)


def _write(value: Any) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} cannot be part of a resource")


def _check_surrogates(tree: Any) -> None:
    try:
        orjson.dumps(tree, default=_write)
    except TypeError:
        for path, text in _leaves(tree, _root(tree)):
            if isinstance(text, str) and any("\ud800" <= character <= "\udfff" for character in text):
                raise BadRequest("A surrogate stands alone: this is not a Unicode string.", path) from None
        raise


def _root(tree: Any) -> str:
    return str(tree.get("resourceType", "")) if isinstance(tree, dict) else ""


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each value that is neither object nor array, and each property's name, by its path."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield path, key
            yield from _leaves(child, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _leaves(child, f"{path}[{index}]")
    else:
        yield path, node


def _wide(text: str) -> BadRequest:
    """Looks for the number again, since the parser does not say where it is."""

    def number(text: str) -> Any:
        return 0 if limits.holds(text) else _Wide

    tree = json.loads(text, parse_float=number, parse_int=number, parse_constant=str)
    path = next((path for path, leaf in _leaves(tree, _root(tree)) if leaf is _Wide), "")
    return BadRequest(
        f"A number has more than {limits.DIGITS} characters, or an exponent of more than {limits.EXPONENT} digits.",
        path,
    )


class _Marked(dict[str, Any]):
    """An object in which `twice` was named more than once."""

    twice: str = ""


def _repeated(text: str) -> BadRequest:
    def mark(pairs: list[tuple[str, Any]]) -> _Marked:
        found = _Marked()
        for key, value in pairs:
            if key in found:
                found.twice = found.twice or key
            found[key] = value
        return found

    tree = json.loads(text, object_pairs_hook=mark, parse_float=Number, parse_int=integer)
    for path, twice in _marks(tree, _root(tree)):
        # The name is shown only where it can be a FHIR element's: it comes from outside.
        shown = f"'{twice}'" if twice.isascii() and twice.isidentifier() and len(twice) < 65 else "of this object"
        return BadRequest(f"The property {shown} occurs more than once.", path)
    return BadRequest("A property occurs more than once.")


def _marks(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, _Marked):
        if node.twice:
            yield path, node.twice
        for key, child in node.items():
            yield from _marks(child, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _marks(child, f"{path}[{index}]")
