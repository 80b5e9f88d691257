"""string parameters: starts with, whatever the case, the accents and the punctuation (R4 search.html#string).

`:exact` compares the whole text, case and accents included, by token. A prefix or `:contains` cannot be asked of a
token: they are decided after decryption.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

from liaison.fhir.definitions import SearchParameter
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import Text
from liaison.fhir.search.conditions import Condition, Tokens
from liaison.fhir.search.criteria import Context, Criterion
from liaison.fhir.search.escapes import unescape

MODIFIERS: Final = frozenset({"exact", "contains"})


@lru_cache(maxsize=32_768)
def folded(text: str) -> str:
    """The text as a search compares it: no case, no accents; runs of anything but letters and digits are one space."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in plain if not unicodedata.combining(c))
    return " ".join(kept.casefold().split())


def exact(text: str) -> bytes:
    return b"=" + unicodedata.normalize("NFC", text).encode()


def operand(text: str, modifier: str, parameter: SearchParameter, context: Context) -> Any:
    plain = unescape(text)
    if modifier == "exact":
        return plain
    if not (found := folded(plain)):
        raise BadRequest("A text to look for holds at least one letter or digit.")
    return found


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
    texts = [folded(value.value) for value in values]
    if criterion.modifier == "contains":
        return any(part in text for text in texts for part in criterion.operands)
    return any(text.startswith(start) for text in texts for start in criterion.operands)
