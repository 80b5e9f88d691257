"""`_text` and `_content`: words of the narrative, or of the whole resource (R4 search.html#text, #content).

Decided after decryption: no index holds words. Whole words, without case, accents and punctuation, and "quoted phrases":

    either = all ("or" all)*        all = one (["and"] one)*
    one    = "not" one / "(" either ")" / a quoted phrase / a word

The operators in capitals or not; in quotation marks they are words to look for. `and` binds closer than `or`, and stands
between words that nothing joins. Commas join alternatives, as everywhere. What has no text lacks every word.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

from liaison.fhir.definitions import SearchParameter, parameter_by_id
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.tree import Tree
from liaison.fhir.model.words import content_text, narrative_text
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape
from liaison.fhir.search.folding import folded

MODIFIERS: Final[frozenset[str]] = frozenset()
DEEPEST: Final = 20
MOST_WORDS: Final = 200

TEXTS: Final[Mapping[int, Callable[[Tree], str]]] = {
    parameter_by_id("DomainResource-text").number: narrative_text,
    parameter_by_id("Resource-content").number: content_text,
}
"""By number of the parameter, what it looks at."""

_PART: Final = re.compile(r'"[^"]*"|[()]|[^\s"()]+|"')
# Bodies are long and seldom asked twice: they have no place in the cache of `folded`, nor does clear text of records.
_fold: Final = folded.__wrapped__


class Joined(NamedTuple):
    """Words, all of which must be there, or one, or (`not`) the one that must not."""

    way: Literal["and", "or", "not"]
    of: tuple["Asked", ...]


Asked = str | Joined
"""A folded phrase between spaces, or several."""


def value_of(number: int, tree: Tree) -> list[str]:
    """The one value of such a parameter; none when there is no text."""
    text = _fold(TEXTS[number](tree))
    return [f" {text} "] if text else []


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    """What is looked for, or BadRequest that says at which character it cannot be read on."""
    reader = _Reader(unescape(text))
    found = reader.either(0)
    if reader.next:
        raise reader.error("the end or a word")
    return found


def index(value: Any) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[str], criterion: Criterion) -> bool:
    text = values[0] if values else ""
    return any(says(text, asked) for asked in criterion.operands)


def says(text: str, asked: Asked) -> bool:
    """Whether a folded text, with a space before and after each word, has what is asked for."""
    if isinstance(asked, str):
        return asked in text
    if asked.way == "not":
        return not says(text, asked.of[0])
    return (all if asked.way == "and" else any)(says(text, one) for one in asked.of)


class _Reader:
    def __init__(self, text: str) -> None:
        # A sign alone ("-", "&") is no word, and nothing to look for.
        parts = [(one[0], one.start()) for one in _PART.finditer(text)]
        self.parts = [one for one in parts if one[0] in '()"' or _fold(one[0])]
        self.length, self.at, self.words = len(text), 0, 0

    @property
    def next(self) -> str:
        """The part that stands here, '' at the end."""
        return self.parts[self.at][0] if self.at < len(self.parts) else ""

    def operator(self, *wanted: str) -> bool:
        """Passes over one of these operators; whether one stands here."""
        found = self.next.lower() in wanted
        self.at += found
        return found

    def error(self, wanted: str) -> BadRequest:
        where = self.parts[self.at][1] if self.next else self.length
        return BadRequest(
            f"At character {where + 1}, {wanted} is expected. Words are joined by AND, OR, NOT and parentheses; in "
            "quotation marks they are looked for."
        )

    def either(self, depth: int) -> Asked:
        if depth > DEEPEST:
            raise BadRequest(f"A text to look for may be nested {DEEPEST} deep.")
        found = [self.all(depth)]
        while self.operator("or"):
            found.append(self.all(depth))
        return found[0] if len(found) == 1 else Joined("or", tuple(found))

    def all(self, depth: int) -> Asked:
        found = [self.one(depth)]
        while self.operator("and") or self.next.lower() not in ("", ")", "or"):
            found.append(self.one(depth))
        return found[0] if len(found) == 1 else Joined("and", tuple(found))

    def one(self, depth: int) -> Asked:
        negated = False
        while self.operator("not"):
            negated = not negated
        found = self.within(depth) if self.operator("(") else self.phrase()
        return Joined("not", (found,)) if negated else found

    def within(self, depth: int) -> Asked:
        found = self.either(depth + 1)
        if not self.operator(")"):
            raise self.error(r"')' or a word (a comma parts alternatives, and is written \, within them)")
        return found

    def phrase(self) -> str:
        part = self.next
        if part == '"':
            raise self.error(r"a quotation mark that is closed (a comma within quotation marks is written \,)")
        if part.lower() in ("", ")", "and", "or"):
            raise self.error("a word, a \"phrase\" or '('")
        self.at += 1
        self.words += 1
        if self.words > MOST_WORDS:
            raise BadRequest(f"A text to look for may hold {MOST_WORDS} words.")
        return f" {_fold(part)} "
