"""The answers to any form, question by question, in the order and the words of the form."""

from collections.abc import Iterator
from typing import Any

from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.home_visit import answered
from liaison.services.pages.reading.punctuation import semicolons

Tree = dict[str, Any]


def answers(response: Tree, say: Say = str) -> list[tuple[str, str]]:
    """(question, answers), groups unfolded. What was not answered is not there."""
    return list(_told(response.get("item", []), say))


def _told(items: list[Tree], say: Say) -> Iterator[tuple[str, str]]:
    for item in items:
        given = [text for answer in item.get("answer", []) if (text := answered(answer, say))]
        if given:
            yield str(item.get("text") or item.get("linkId", "")), semicolons(given, say)
        below = [one for answer in item.get("answer", []) for one in answer.get("item", [])]
        yield from _told([*item.get("item", []), *below], say)
