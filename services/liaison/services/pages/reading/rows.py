"""A row of a page: a fact with all that qualifies it, at one place for every kind of resource."""

from typing import Any

from liaison.services.pages.reading import notes, states, unread
from liaison.services.pages.reading.concepts import Say

Tree = dict[str, Any]


def framed(tree: Tree, said: str, say: Say = str) -> str:
    """The fact, what its status makes of it, the notes beside it; and first of all, that something of it is not read.
    The status of an Observation is told with its value (measures.marks)."""
    state = states.told(tree, say) if tree.get("resourceType") != "Observation" else ""
    line = f"{said} ({state})" if state else said
    return unread.marked(tree, " – ".join(filter(None, (line, notes.told(tree, say)))), say)
