"""Text to syntax tree: the whole of FHIRPath that R4's search parameters and invariants use, and no more.

Precedence as in the grammar of http://hl7.org/fhirpath/N1/#appendices. What is not here is a ParseError, never a guess.
"""

import re
from dataclasses import dataclass
from typing import NoReturn


class ParseError(ValueError):
    """The expression uses something this subset does not have, or is not FHIRPath."""


@dataclass(frozen=True, slots=True)
class Name:
    """An element, or at the start of a path the type of the resource. `of` is None at the start."""

    of: "Node | None"
    name: str


@dataclass(frozen=True, slots=True)
class Variable:
    """%resource, $this and the like, without their sign."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    of: "Node | None"
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Index:
    of: "Node"
    index: int


@dataclass(frozen=True, slots=True)
class Literal:
    value: str | bool | int


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two expressions; the right side of `as` and `is` is the Name of a type."""

    operator: str
    left: "Node"
    right: "Node"


Node = Name | Variable | Call | Index | Literal | Binary

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*')|(?P<number>[0-9]+)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<sign>!=|<=|>=|[%$.()\[\]|=,<>+&]))"
)
# Loosest first. Each level is left-associative.
_LEVELS = (
    ("implies",),
    ("or", "xor"),
    ("and",),
    ("in", "contains"),
    ("=", "!="),
    ("<", ">", "<=", ">="),
    ("|",),
    ("is", "as"),
    ("+", "&"),
)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.tokens: list[tuple[str, str]] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise ParseError(f"not understood at {place}: {text}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()

    def whole(self) -> Node:
        node = self.level(0)
        if self.at != len(self.tokens):
            self.refuse()
        return node

    def refuse(self) -> NoReturn:
        found = self.tokens[self.at][1] if self.at < len(self.tokens) else "the end"
        raise ParseError(f"{found} is not expected in: {self.text}")

    def peek(self) -> str:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        return "" if kind == "string" else text

    def take(self, sign: str) -> bool:
        if self.peek() == sign:
            self.at += 1
            return True
        return False

    def expect(self, sign: str) -> None:
        if not self.take(sign):
            self.refuse()

    def kind(self, kind: str) -> str:
        if self.at == len(self.tokens) or self.tokens[self.at][0] != kind:
            self.refuse()
        self.at += 1
        return self.tokens[self.at - 1][1]

    def level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self.path()
        left = self.level(number + 1)
        while self.peek() in _LEVELS[number]:
            operator = self.peek()
            self.at += 1
            right = Name(None, self.kind("name")) if operator in ("is", "as") else self.level(number + 1)
            left = Binary(operator, left, right)
        return left

    def path(self) -> Node:
        node = self.term()
        while True:
            if self.take("."):
                node = self.step(node)
            elif self.take("["):
                node = Index(node, int(self.kind("number")))
                self.expect("]")
            else:
                return node

    def term(self) -> Node:
        if self.take("("):
            node = self.level(0)
            self.expect(")")
            return node
        if self.take("%") or self.take("$"):
            return Variable(self.kind("name"))
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if kind == "string":
            self.at += 1
            return Literal(re.sub(r"\\(.)", r"\1", text[1:-1]))
        if kind == "number":
            self.at += 1
            return Literal(int(text))
        if text in ("true", "false"):
            self.at += 1
            return Literal(text == "true")
        return self.step(None)

    def step(self, of: Node | None) -> Node:
        name = self.kind("name")
        if not self.take("("):
            return Name(of, name)
        arguments: list[Node] = []
        if not self.take(")"):
            arguments.append(self.level(0))
            while self.take(","):
                arguments.append(self.level(0))
            self.expect(")")
        return Call(of, name, tuple(arguments))


def parse(text: str) -> Node:
    """The syntax tree of an expression. ParseError for what lies outside the subset."""
    return _Parser(text).whole()
