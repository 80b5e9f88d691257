"""Where resources refer, wherever in them a reference stands: found by walking them, without a definition of any type."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Names = set[str]


def named(node: Any) -> Iterator[str]:
    """Every reference of a resource, whatever version it names."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "reference" and isinstance(value, str):
                yield value.partition("/_history/")[0]
            yield from named(value)
    elif isinstance(node, list):
        for value in node:
            yield from named(value)


def behind(start: Iterable[Any], known: Mapping[str, Any]) -> Names:
    """What these refer to among `known`, and what that refers to."""
    found: Names = set()
    waiting = list(start)
    while waiting:
        fresh = {name for tree in waiting for name in named(tree) if name in known} - found
        found |= fresh
        waiting = [known[name] for name in fresh]
    return found
