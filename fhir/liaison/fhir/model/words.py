"""The words of a resource, for `_text` and `_content`: those of its narrative, or all of them."""

import html
import re
from collections.abc import Iterator
from typing import Any, Final

from liaison.fhir.model.tree import Tree

# What names, points or holds bytes is no text: a search for a word is not about it.
_NO_TEXT: Final = frozenset({"resourceType", "id", "versionId", "reference", "data"})
_INLINE: Final = frozenset(
    {"a", "abbr", "b", "big", "code", "em", "i", "small", "span", "strong", "sub", "sup", "tt", "u"}
)
_TAG: Final = re.compile(r"</?([A-Za-z0-9]+)[^>]*>")


def narrative_text(tree: Tree) -> str:
    """The text that a reader of Resource.text sees; '' when there is no narrative."""
    text = tree.get("text")
    div = text.get("div") if isinstance(text, dict) else None
    return _plain(div) if isinstance(div, str) else ""


def content_text(tree: Tree) -> str:
    """Every string and number of the resource and of what it contains, narratives as their readers see them."""
    return "\n".join(_texts(tree))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "div" and isinstance(value, str):
                yield _plain(value)
            elif name not in _NO_TEXT:
                yield from _texts(value)
    elif isinstance(node, list):
        for one in node:
            yield from _texts(one)
    elif isinstance(node, str):
        yield node
    elif node is not None and not isinstance(node, bool):
        yield str(node)


def _plain(div: str) -> str:
    return html.unescape(_TAG.sub(lambda tag: "" if tag[1].lower() in _INLINE else " ", div))
