"""A record that was merged into another takes nothing new (design §8), from whoever sees the one that took its place.

Merging moves nothing: what stands in the record that goes stays there under its own rights, is corrected, and goes on (a step of
its plan is done, an alert answered). What begins anew belongs where the person is found from then on. Whoever does not see that
record goes on in the one they see: the two sets of rights are not united without a decision. What the person says against
sharing is taken everywhere, and so are an aide's own words.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from liaison.auth.access.standing import Standing
from liaison.fhir.definitions import RESOURCE_TYPES, kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.model.references import unversioned
from liaison.fhir.store.contract import Change, Key, Tree
from liaison.fhir.store.ids import Ids

_PATIENT: Final = kind_of("Patient")
_EVERYWHERE: Final = frozenset({"Consent", "Provenance"})
_OWN_WORDS: Final = frozenset({"home-aide"})


class Superseded(Unprocessable):
    """Names the record that took the place of the one written in; the pages say it in their words, by its code."""

    code = "duplicate"


def successors(ids: Ids, changes: Sequence[Change], related: Mapping[str, Tree]) -> dict[int, Key]:
    """By patient number: the Patient that took the place of one in whose record something is created."""
    begun = {change.key.patient for change in changes if change.interaction == "create" and not change.new_patient}
    found = {}
    for reference in related:
        key = _key(ids, reference)
        if key is None or key.kind != _PATIENT or key.patient not in begun:
            continue
        for link in related[reference].get("link") or ():
            other = _key(ids, str((link.get("other") or {}).get("reference", "")))
            if link.get("type") == "replaced-by" and other is not None:
                found[key.patient] = other
    return found


def check(
    ids: Ids, who: Standing, changes: Sequence[Change], related: Mapping[str, Tree], replaced: Mapping[int, Key]
) -> None:
    """Raises Superseded."""
    if not replaced or who.internal is not None or who.role_code in _OWN_WORDS:
        return
    created = {change.key for change in changes if change.interaction == "create"}
    named = [key for reference in related if (key := _key(ids, reference)) is not None]
    continued = {key.patient for key in named if key.kind != _PATIENT and key not in created}
    for change in changes:
        other = replaced.get(change.key.patient)
        if (
            other is not None
            and other.patient in who.grants
            and change.interaction == "create"
            and change.type_ not in _EVERYWHERE
            and change.key.patient not in continued
        ):
            raise Superseded(
                f"This record was merged into Patient/{ids.encode(other)}: a new {change.type_} is written there.",
                change.type_,
            )


def _key(ids: Ids, reference: str) -> Key | None:
    type_, _, id_ = unversioned(reference).partition("/")
    return ids.decode(type_, id_) if type_ in RESOURCE_TYPES else None
