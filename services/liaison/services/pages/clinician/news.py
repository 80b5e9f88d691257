"""What is new in a record for its reader, newest first, each thing once."""

from datetime import datetime, timedelta
from typing import Any, Final

from liaison.protocols.library import Library, shipped
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.home_visit import told_by
from liaison.services.pages.reading.measures import called_off
from liaison.services.pages.reading.states import in_error

Tree = dict[str, Any]

FIRST_LOOK: Final = timedelta(days=30)
"""How far back, by the date things happened, the page looks when someone opens a record for the first time."""
MOST_NEWS: Final = 40


def is_new(tree: Tree, since: datetime | None, now: datetime) -> bool:
    if since:
        return moments.written(tree) > since
    when = moments.happened(tree)
    return when is not None and when > now - FIRST_LOOK


def told_once(trees: list[Tree], library: Library | None = None) -> list[Tree]:
    """Newest first. A home visit is one line: what it was filed as is left out where its form itself is seen. What was
    written by mistake, and a measure that was called off, say nothing of the person. `library`: with the forms of these visits, the
    shipped one where it is not given."""
    told = told_by(trees, library or shipped())
    kept = [tree for tree in trees if not (told(tree) or in_error(tree) or called_off(tree))]
    return sorted(kept, key=lambda tree: moments.happened(tree) or moments.written(tree), reverse=True)
