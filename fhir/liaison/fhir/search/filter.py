"""The grammar of `_filter` (http://hl7.org/fhir/R4/search_filter.html), read into a tree. What it means: filtering.py.

    filter    = paramExp / logExp / ["not"] "(" filter ")"
    logExp    = filter ("and" / "or" filter)+        left to right, none of the two binds closer
    paramExp  = paramPath SP compareOp SP compValue
    paramPath = paramName [":" type] [["[" filter "]"] "." paramPath]
    compValue = json string / a run of characters without space, "]" and ")"

`:type` is ours: it says which of its types a reference leads to, as a chain does.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from liaison.fhir.errors import BadRequest

OPERATORS: Final = frozenset(
    ["eq", "ne", "co", "sw", "ew", "gt", "lt", "ge", "le", "ap", "sa", "eb", "pr", "po", "ss", "sb", "in", "ni", "re"]
)
DEEPEST: Final = 20
MOST_TESTS: Final = 50

_SPACE: Final = re.compile(r"\s+")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_TYPE: Final = re.compile(r":([A-Z][A-Za-z]*)")
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_TOKEN: Final = re.compile(r"[^\s\])]+")


class Step(NamedTuple):
    """One name of a path. `type_` '' when none is said; `where` is what stands in brackets."""

    name: str
    type_: str = ""
    where: "Node | None" = None


@dataclass(frozen=True, slots=True)
class Test:
    """`path operator value`. `at` is where it starts, counted from 1."""

    path: tuple[Step, ...]
    operator: str
    value: str
    at: int


@dataclass(frozen=True, slots=True)
class Both:
    """Two filters joined by `and` or `or`, or (`not`) the one that must not hold."""

    way: Literal["and", "or", "not"]
    of: tuple["Node", ...]


Node = Test | Both


def read(text: str) -> Node:
    """The filter as a tree, or BadRequest that says at which character it stops being one."""
    reader = _Reader(text)
    found = reader.filter(0)
    reader.skip()
    if reader.at < len(text):
        raise reader.error("'and', 'or' or the end")
    return found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.tests = text, 0, 0

    def error(self, wanted: str, at: int | None = None) -> BadRequest:
        return BadRequest(f"At character {(self.at if at is None else at) + 1} of the filter, {wanted} is expected.")

    def skip(self) -> bool:
        """Passes over spaces; whether there were any."""
        found = _SPACE.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found is not None

    def word(self) -> str:
        """The name that starts here, '' for none."""
        found = _NAME.match(self.text, self.at)
        return found[0] if found else ""

    def filter(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise BadRequest(f"A filter may be nested {DEEPEST} deep.")
        left = self.part(depth)
        while True:
            before = self.at
            self.skip()
            way = self.word()
            if way not in ("and", "or") or (self.at == before and self.text[before - 1 : before] not in (")", '"')):
                self.at = before
                return left
            self.at += len(way)
            if not self.skip() and self.text[self.at : self.at + 1] != "(":
                raise self.error(f"a space after '{way}'")
            right = self.part(depth)
            left = Both("and" if way == "and" else "or", (left, right))

    def part(self, depth: int) -> Node:
        self.skip()
        start = self.at
        negated = self.word() == "not"
        if negated:
            self.at += 3
            self.skip()
            negated = self.text.startswith("(", self.at)
            if not negated:
                self.at = start  # a parameter may be called so
        if not self.text.startswith("(", self.at):
            return self.test(depth)
        self.at += 1
        inner = self.filter(depth + 1)
        self.closed(")")
        return Both("not", (inner,)) if negated else inner

    def closed(self, sign: str) -> None:
        self.skip()
        if not self.text.startswith(sign, self.at):
            raise self.error(f"'{sign}'")
        self.at += 1

    def test(self, depth: int) -> Test:
        start = self.at
        path = [self.step(depth)]
        while self.text.startswith(".", self.at):
            self.at += 1
            path.append(self.step(depth))
        if path[-1].where is not None:
            raise self.error("'.' and a parameter of what the brackets select")
        if not self.skip():
            raise self.error("a space and an operator")
        operator = self.word()
        if operator not in OPERATORS:
            raise self.error(f"an operator ({', '.join(sorted(OPERATORS))})")
        self.at += len(operator)
        if not self.skip():
            raise self.error("a space and a value")
        self.tests += 1
        if self.tests > MOST_TESTS:
            raise BadRequest(f"A filter may hold {MOST_TESTS} tests.")
        return Test(tuple(path), operator, self.value(), start + 1)

    def step(self, depth: int) -> Step:
        name = self.word()
        if not name:
            raise self.error("the name of a parameter")
        self.at += len(name)
        typed = _TYPE.match(self.text, self.at)
        if typed:
            self.at = typed.end()
        where = None
        if self.text.startswith("[", self.at):
            self.at += 1
            where = self.filter(depth + 1)
            self.closed("]")
        return Step(name, typed[1] if typed else "", where)

    def value(self) -> str:
        start = self.at
        if self.text.startswith('"', start):
            found = _STRING.match(self.text, start)
            if found is None:
                raise self.error("a closing quotation mark", len(self.text))
            self.at = found.end()
            try:
                text: str = json.loads(found[0], strict=False)
                text.encode()
            except ValueError:
                raise self.error("a JSON string", start) from None
            return text
        found = _TOKEN.match(self.text, start)
        if found is None:
            raise self.error("a value")
        self.at = found.end()
        return found[0]
