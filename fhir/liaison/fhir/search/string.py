"""string parameters: starts with, whatever the case, the accents and the punctuation (R4 search.html#string).

`:exact` compares the whole text, case and accents included, by token. A prefix or `:contains` cannot be asked of a
token: they are decided after decryption, and so is `:text`, which looks for words as `_text` does. Every word of a
person's name counts as a start, as R4 recommends: "Quinones" finds "Carreno Quinones".
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Text
from liaison.fhir.search import words as text_words
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape
from liaison.fhir.search.folding import folded, forms

MODIFIERS: Final = frozenset({"exact", "contains", "text"})

_PEOPLE: Final = frozenset({"Patient", "Practitioner", "Person", "RelatedPerson"})
_NAMES: Final = frozenset({"family", "name"})


class Words(NamedTuple):
    """A text to look for, in each of its folded forms; `each`: at the start of any word."""

    forms: tuple[str, ...]
    each: bool = False


def words(text: str, *, each: bool = False) -> Words:
    """What to look for, or BadRequest when the text holds nothing that is compared."""
    if not folded(text):
        raise BadRequest("A text to look for holds at least one letter or digit.")
    return Words(forms(text), each)


def starts(text: str, asked: Words) -> bool:
    """Whether a text of the record starts with the one asked for, or (`each`) some word of it does."""
    return any(
        form.startswith(start) or (asked.each and f" {start}" in form) for form in forms(text) for start in asked.forms
    )


def exact(text: str) -> bytes:
    return b"=" + unicodedata.normalize("NFC", text).encode()


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    if modifier == "text":
        return text_words.operand(text, modifier, parameter, context)
    plain = unescape(text)
    if modifier == "exact":
        return plain
    return words(plain, each=parameter.code in _NAMES and context.type_ in _PEOPLE)


def index(value: Text) -> Iterable[bytes]:
    yield exact(value.value)


def narrow(criterion: Criterion) -> Condition | None:
    if criterion.modifier == "exact":
        return Tokens(criterion.parameter.number, tuple(exact(text) for text in criterion.operands))
    return None


def matches(values: Sequence[Text], criterion: Criterion) -> bool:
    if criterion.modifier == "exact":
        wanted = {exact(text) for text in criterion.operands}
        return any(exact(value.value) in wanted for value in values)
    if criterion.modifier == "text":
        # Two spaces between values: a phrase stands in one of them.
        return any(
            text_words.says("".join(f" {folded(value.value)} " for value in values), asked)
            for asked in criterion.operands
        )
    if criterion.modifier == "contains":
        return any(
            part in form
            for value in values
            for form in forms(value.value)
            for asked in criterion.operands
            for part in asked.forms
        )
    return any(starts(value.value, asked) for value in values for asked in criterion.operands)
