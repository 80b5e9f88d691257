"""$meta-delete: https://hl7.org/fhir/R4/resource-operation-meta-delete.html

Takes profiles, tags and security labels off a resource; what is not there is no error. An update like any other: see
meta_add. A security label is lifted by those only who could write the resource with it and without it.
"""

from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definitions import META_DELETE
from liaison.fhir.operations.meta import LISTS, identity
from liaison.fhir.operations.meta_add import changed
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Request, Tree


async def meta_delete(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """The Meta of the new version. NotFound for absent and hidden alike; 403 as for an update."""
    return await changed(META_DELETE, _without, store, caller, where, request, base_url)


def _without(there: Tree, given: Tree) -> Tree:
    """By URL for a profile, by system and code for a label, whatever their display."""
    made = dict(there)
    for name in LISTS:
        gone = [one if isinstance(one, str) else identity(one) for one in given.get(name) or ()]
        if name in there and gone:
            made[name] = [one for one in there[name] if (one if isinstance(one, str) else identity(one)) not in gone]
    return made
