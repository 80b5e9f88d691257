"""`_text` and `_content`: words of the narrative, or of the whole resource (R4 search.html#text, #content).

Decided after decryption: no index holds words. A value is words and "quoted phrases", all of which must be there, in any
order; whole words, without case, accents and punctuation. Commas join alternatives, as everywhere.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter, parameter_by_id
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.tree import Tree
from liaison.fhir.model.words import content_text, narrative_text
from liaison.fhir.search.conditions import Condition
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape
from liaison.fhir.search.string import folded

MODIFIERS: Final[frozenset[str]] = frozenset()

TEXTS: Final[Mapping[int, Callable[[Tree], str]]] = {
    parameter_by_id("DomainResource-text").number: narrative_text,
    parameter_by_id("Resource-content").number: content_text,
}
"""By number of the parameter, what it looks at."""

_PART: Final = re.compile(r'"([^"]*)"|([^\s"]+)|(")')
# Bodies are long and seldom asked twice: they have no place in the cache of `folded`, nor does clear text of records.
_fold: Final = folded.__wrapped__


def value_of(number: int, tree: Tree) -> list[str]:
    """The one value of such a parameter; none when there is no text."""
    text = _fold(TEXTS[number](tree))
    return [f" {text} "] if text else []


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    """The phrases, each folded and between spaces."""
    found = []
    for quoted, word, stray in _PART.findall(unescape(text)):
        if stray:
            raise BadRequest(r"A quotation mark is not closed; a comma within quotation marks is written \,.")
        if phrase := _fold(quoted or word):
            found.append(f" {phrase} ")
    if not found:
        raise BadRequest("A text to look for holds at least one letter or digit.")
    return tuple(found)


def index(value: Any) -> Iterable[bytes]:
    return ()


def narrow(criterion: Criterion) -> Condition | None:
    return None


def matches(values: Sequence[str], criterion: Criterion) -> bool:
    return any(all(phrase in text for phrase in phrases) for text in values for phrases in criterion.operands)
