"""The answers to any form, question by question, in the order and the words of the form."""

from collections.abc import Iterator
from typing import Any

from liaison.services.pages.reading.home_visit import answered

Tree = dict[str, Any]


def answers(response: Tree) -> list[tuple[str, str]]:
    """(question, answers), groups unfolded. What was not answered is not there."""
    return list(_told(response.get("item", [])))


def _told(items: list[Tree]) -> Iterator[tuple[str, str]]:
    for item in items:
        given = [text for answer in item.get("answer", []) if (text := answered(answer))]
        if given:
            yield str(item.get("text") or item.get("linkId", "")), " ; ".join(given)
        yield from _told(item.get("item", []))
