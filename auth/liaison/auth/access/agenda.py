"""The agenda of a structure: Schedule and Slot of no patient, such as the sessions of an education programme.

They give nobody a right and name no patient; who comes to a session stands in an Appointment of each person's own record.
So the people of a structure keep its agenda themselves, where the rest of the directory is its administrator's: those whose
role writes appointments (APPT) by some row of the table, in the structure that the resource says keeps it, before and after.
"""

from collections.abc import Mapping
from typing import Final

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import extension
from liaison.auth.access.standing import Standing
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Change
from liaison.fhir.store.ids import Ids

_TYPES: Final = frozenset({"Schedule", "Slot"})
REFUSED: Final = "An agenda is kept by those who write appointments in the structure that it names (extension kept-by), and no other."


def is_agenda(change: Change) -> bool:
    return change.type_ in _TYPES and change.key.patient == 0


def keeps(ids: Ids, who: Standing, change: Change) -> bool:
    """Whether what is written, and what was there, are of the structure that the writer acts for."""
    trees = [tree for tree in (change.tree, change.before) if tree is not None]
    return who.organization != 0 and all(_keeper(ids, tree) == who.organization for tree in trees)


def _keeper(ids: Ids, tree: Mapping[str, object]) -> int:
    reference = extension(tree, vocabulary.KEPT_BY).get("valueReference")
    text = reference.get("reference") if isinstance(reference, dict) else None
    if not isinstance(text, str) or not text.startswith("Organization/"):
        return 0
    key = ids.decode("Organization", unversioned(text).removeprefix("Organization/"))
    return key.res if key else 0
