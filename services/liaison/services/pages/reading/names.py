"""Which of a person's names stands. http://hl7.org/fhir/R4/datatypes.html#HumanName"""

from typing import Any, Final

from liaison.auth.access.traits import birth_name

Tree = dict[str, Any]
_OTHERS: Final = frozenset({"usual", "maiden", "nickname", "anonymous", "temp"})
"""Uses that name the person beside their own name."""


def birth_and_use(patient: Tree) -> tuple[Tree, Tree]:
    """The name of birth and the one in use, either {} where there is none.

    The first is the one by which the person is found (auth.access.traits). FR Core calls the second `usual`; other software
    may write the present one as its own. What is old, or says an end, counts only where no other name stands.
    """
    birth = dict(birth_name(patient))
    known = standing(patient)
    own = _of(known, "official") or next((one for one in known if one.get("use") not in _OTHERS), {})
    usual = _of(known, "usual")
    return birth or next(iter(known), {}), usual or (own if birth.get("use") == "maiden" else {})


def standing(person: Tree) -> list[Tree]:
    """Of someone's names those that are neither old nor say an end, nor were to come when the resource was written; all of them
    where that is none. By no clock: a name of a time is not who somebody is, and one that was to come stands once the
    resource is written again."""
    names, written = person.get("name"), str((person.get("meta") or {}).get("lastUpdated", "9999"))
    known = [one for one in names if isinstance(one, dict)] if isinstance(names, list) else []
    return [one for one in known if one.get("use") != "old" and _stands(one.get("period"), written)] or known


def _stands(period: Any, written: str) -> bool:
    said = period if isinstance(period, dict) else {}
    return not said.get("end") and str(said.get("start", ""))[:10] <= written[:10]


def _of(names: list[Tree], use: str) -> Tree:
    return next((one for one in names if one.get("use") == use), {})
