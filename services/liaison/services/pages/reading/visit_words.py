"""The words of the form of the home visit in the reader's language: its questions, its answers, and the alerts they raise.

They are Liaison's own, kept in the record in French. What anybody else wrote stays as it is written.
"""

from collections.abc import Iterator
from functools import cache
from typing import Final

from liaison.protocols import library
from liaison.protocols.alerts import WITHDRAWN
from liaison.protocols.answers import Item, items
from liaison.protocols.forms import READY
from liaison.protocols.visit import sign_text
from liaison.services.pages.marking import _
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.punctuation import colon

_WITHDRAWN: Final = _("Retiré à la correction :")


def texts() -> Iterator[str]:
    """Every question and answer of the forms."""
    for item in _items():
        yield item.text
        yield from _answers(item)


def said(text: str, say: Say) -> str:
    return say(text) if text in _ours() else text


def alert(line: str, say: Say) -> str:
    """The line of an alert: 'Le souffle : essoufflement au repos', or what an aide wrote."""
    if line.startswith(WITHDRAWN):
        return f"{say(_WITHDRAWN)} {alert(line.removeprefix(WITHDRAWN), say)}"
    question, answer = _signs().get(line, (None, ""))
    if not answer:
        return line
    # As sign_text writes it in the record, with the marks of the reader's language.
    return colon(say, say(question).rstrip(" ?"), say(answer).lower()) if question else say(answer)


@cache
def _items() -> tuple[Item, ...]:
    return tuple(item for model in READY.values() for item in items(library.shipped().tree(model)))


@cache
def _ours() -> frozenset[str]:
    return frozenset(texts())


@cache
def _signs() -> dict[str, tuple[str | None, str]]:
    """The line that each answer makes: its question, where that is said, and the answer."""
    pairs = [(None if item.alone else item.text, answer) for item in _items() for answer in _answers(item)]
    return {sign_text(question, answer): (question, answer) for question, answer in pairs}


def _answers(item: Item) -> list[str]:
    return [str(option["valueCoding"]["display"]) for option in item.tree.get("answerOption", [])]
