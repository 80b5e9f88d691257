"""Patches in a unit of writes, applied once their resources are known: the result is then written like any update.

What the sender may not know of is not there for a patch either (liaison.fhir.model.withholding): nothing is copied from it,
compared with it or found at it. All of it stays, or the patch is refused; so is an update, which would take it out.
"""

import copy
from collections.abc import Sequence

from liaison.fhir.errors import FhirError, Forbidden, Unprocessable
from liaison.fhir.interactions import content, scope
from liaison.fhir.interactions.resolve import Resolver
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model.subset import untagged
from liaison.fhir.model.withholding import taken, without
from liaison.fhir.store.contract import Caller, Opened


def require_named(found: Opened) -> None:
    """Forbidden for whoever is shown the resource without its names (liaison.fhir.model.abridging), before an operation is
    tried: a test, or a path, would ask about them."""
    if found.is_cut and not found.hidden:
        raise Forbidden("You are shown this resource without its names: whoever reads it whole may change it.")


def apply(caller: Caller, writes: Sequence[Write], resolver: Resolver) -> bool:
    """Gives each patch its new content, valid and within the caller's scopes. False when there was none to apply.

    A problem of the result names its element by FHIRPath, like one of an update.
    """
    found = False
    for write in writes:
        if write.patch is not None and write.tree is None and write.before is not None:
            found = True
            try:
                _as_shown(write)
                tree = write.patch(copy.deepcopy(write.before))
            except FhirError as error:
                raise write.problem(error) from None
            write.tree, write.told = content.checked_and_told(tree, write.type_, write.at, resolver.types)
            seen = untagged(without(write.tree, write.hidden)) if write.hidden else write.tree
            scope.require_written(caller, "u", write.type_, seen)
            resolver.take(write)
    return found


def keep_hidden(writes: Sequence[Write]) -> None:
    """Unprocessable for an update whose sender is not shown all of what it replaces: with their copy, tagged or not, the rest
    would be lost."""
    for write in writes:
        new, old = write.tree, write.before
        if write.interaction != "update" or write.patch is not None or not write.hidden or new is None or old is None:
            continue
        if taken(new, write.hidden) != taken(old, write.hidden):
            raise write.problem(
                Unprocessable(
                    "Not all of this resource is shown to you, and an update would take the rest out of it. Send a patch of what"
                    " you change.",
                    write.type_,
                )
            )


def _as_shown(write: Write) -> None:
    """Raises what the patch meets on the resource as its sender is shown it; Unprocessable where on the whole one it means
    something else, or changes what is not shown."""
    if not write.hidden or write.patch is None or write.before is None:
        return
    shown = write.patch(copy.deepcopy(untagged(without(write.before, write.hidden))))
    try:
        whole = write.patch(copy.deepcopy(write.before))
    except FhirError:
        whole = {}
    if (
        not whole
        or without(whole, write.hidden) != without(shown, write.hidden)
        or taken(whole, write.hidden) != taken(write.before, write.hidden)
    ):
        raise Unprocessable(
            "This would change what is not shown to you of the resource. Change other elements, or find each by what it says"
            " and not by its number.",
            write.type_,
        )
