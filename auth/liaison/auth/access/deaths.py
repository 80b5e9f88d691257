"""Who says on which day a person died: that day shortens how long their record is kept (CSP R.1112-7, retention.rules).

A health professional, in their own name or as a substitute, writes, changes or takes away `Patient.deceasedDateTime`. Whoever
else keeps the identity says that somebody is dead (`deceasedBoolean`), which the pages show and no term follows from. An
import and the other internal principals keep to what they bring. Destruction asks by what the death was established, beside
(services.custody.retaining)."""

from typing import Final

from liaison.auth.access.roles import ROLES
from liaison.fhir.errors import Forbidden
from liaison.fhir.store.contract import Tree

_SUBSTITUTES: Final = frozenset({"substitute"})


def dated_by(role_code: str) -> bool:
    """Whether this role says on which day."""
    role = ROLES.get(role_code)
    return role_code in _SUBSTITUTES or (role is not None and role.category == "health")


def check(role_code: str, tree: Tree | None, before: Tree | None = None) -> None:
    """Raises Forbidden. `tree` is the Patient to be, None for a deletion; `before` what it was."""
    if (tree or {}).get("deceasedDateTime") == (before or {}).get("deceasedDateTime"):
        return
    if not dated_by(role_code):
        raise Forbidden(
            "The day of a death is written by a health professional: it shortens how long the record is kept. Your role says"
            " deceasedBoolean.",
            "Patient.deceasedDateTime",
        )
