"""Patches in a unit of writes, applied once their resources are known: the result is then written like any update."""

import copy
from collections.abc import Sequence

from liaison.fhir.errors import FhirError
from liaison.fhir.interactions import content, scope
from liaison.fhir.interactions.resolve import Resolver
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store.contract import Caller


def apply(caller: Caller, writes: Sequence[Write], resolver: Resolver) -> bool:
    """Gives each patch its new content, valid and within the caller's scopes. False when there was none to apply.

    A problem of the result names its element by FHIRPath, like one of an update.
    """
    found = False
    for write in writes:
        if write.patch is not None and write.tree is None and write.before is not None:
            found = True
            try:
                tree = write.patch(copy.deepcopy(write.before))
            except FhirError as error:
                raise write.problem(error) from None
            write.tree, write.told = content.checked_and_told(tree, write.type_, write.at, resolver.types)
            scope.require_written(caller, "u", write.type_, write.tree)
            resolver.take(write)
    return found
