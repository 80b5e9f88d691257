"""Which of a person's names stands. http://hl7.org/fhir/R4/datatypes.html#HumanName"""

from datetime import UTC, datetime
from typing import Any, Final

from liaison.auth.access.traits import birth_name
from liaison.services.pages.reading import moments

Tree = dict[str, Any]
_OTHERS: Final = frozenset({"usual", "maiden", "nickname", "anonymous", "temp"})
"""Uses that name the person beside their own name."""


def birth_and_use(patient: Tree) -> tuple[Tree, Tree]:
    """The name of birth and the one in use, either {} where there is none.

    The first is the one by which the person is found (auth.access.traits). FR Core calls the second `usual`; other software
    may write the present one as its own. What is old, over or not begun counts only where no other name stands; by the clock
    of this machine, which is near enough for a name.
    """
    names = patient.get("name", [])
    birth = dict(birth_name(patient))
    known = standing(names, datetime.now(UTC))
    own = _of(known, "official") or next((one for one in known if one.get("use") not in _OTHERS), {})
    usual = _of(known, "usual")
    return birth or next(iter(known), {}), usual or (own if birth.get("use") == "maiden" else {})


def standing(names: Any, now: datetime) -> list[Tree]:
    """Those that are neither old nor over nor to come; all of them where that is none."""
    known = [one for one in names if isinstance(one, dict)] if isinstance(names, list) else []
    held = [one for one in known if one.get("use") != "old" and moments.covers(one.get("period") or {}, now)]
    return held or known


def _of(names: list[Tree], use: str) -> Tree:
    return next((one for one in names if one.get("use") == use), {})
