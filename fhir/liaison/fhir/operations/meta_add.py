"""$meta-add: https://hl7.org/fhir/R4/resource-operation-meta-add.html

An update like any other, of which only the labels differ: a new version, by the same rights, with the same journal entry.
What adds or lifts a security label is therefore for the rules of docs/rights.md to allow. What is there already changes
nothing, and writes nothing.
"""

from collections.abc import Callable

from liaison.fhir import model
from liaison.fhir.definitions import elements
from liaison.fhir.errors import BadRequest, FhirError, Gone, NotFound
from liaison.fhir.interactions import etag, scope
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.routing import Route
from liaison.fhir.interactions.writes import Write
from liaison.fhir.operations.definition import Definition
from liaison.fhir.operations.definitions import META_ADD
from liaison.fhir.operations.meta import LISTS, answered, identity, require_stored
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Opened, Request, Tree

Change = Callable[[Tree, Tree], Tree]
"""(the Meta there is, the one given) → the Meta that is to be."""


async def meta_add(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """The Meta of the new version. NotFound for absent and hidden alike; 403 as for an update."""
    return await changed(META_ADD, _with, store, caller, where, request, base_url)


def _with(there: Tree, given: Tree) -> Tree:
    made = dict(there)
    for name in LISTS:
        if name in given:
            known = {_same(one) for one in there.get(name) or ()}
            fresh = {_same(one): one for one in given[name] if _same(one) not in known}
            made[name] = [*(there.get(name) or ()), *fresh.values()]
    return made


def _same(one: str | Tree) -> object:
    """A profile by its URL, a label by system and code."""
    return one if isinstance(one, str) else identity(one)


async def changed(
    definition: Definition,
    change: Change,
    store: Store,
    caller: Caller,
    where: Route,
    request: Request,
    base_url: str,
) -> Answer:
    """Changes the labels of the current version, whichever that is when its turn comes, unless If-Match asks for one."""
    require_stored(where.type_)
    scope.permit_letter(caller, "u", where.type_)
    given = _labels(definition.read(request).trees.get("meta"))

    def patch(tree: Tree) -> Tree:
        there = tree["meta"]
        meta = {name: value for name, value in change(there, given).items() if value}
        if meta == there:
            raise _Unchanged
        return {**tree, "meta": meta}

    headers = {name: value for name, value in request.headers.items() if name == "if-match"}
    write = Write("update", where.type_, None, id_=where.id_, headers=headers, patch=patch)
    try:
        await commit(store, caller, [write], base_url)
    except _Unchanged:
        found = await _current(store, caller, where)
        version = etag.meta(found.row.version, found.row.at)
        return answered(model.read(found.stored)["meta"], found.disclosure, headers=version)
    assert write.change is not None and write.change.tree is not None
    return answered(write.change.tree["meta"], headers=etag.meta(write.change.version, write.change.at))


class _Unchanged(FhirError):
    """All of it is there already. Never leaves this module."""


async def _current(store: Store, caller: Caller, where: Route) -> Opened:
    key = store.key(where.type_, where.id_)
    found = None if key is None else await store.read(caller, key)
    if found is None:
        raise NotFound
    if found.row.deleted:
        raise Gone("The resource was deleted.")
    scope.require_visible(caller, "u", where.type_, model.read(found.body))
    return found


def _labels(meta: Tree | None) -> Tree:
    """The profiles, tags and security labels of the parameter `meta`. BadRequest for anything else, or nothing."""
    at = "Parameters.parameter.where(name='meta')"
    if meta is None:
        raise BadRequest("The parameter 'meta' is required: a valueMeta with profile, tag or security.", at)
    body = {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}
    wrong = [issue for issue in model.problems(body) if issue.severity == "error"]
    if wrong:
        raise BadRequest(issues=wrong)
    for name in meta:
        if name not in LISTS:
            known = name if name in elements("Meta") else "an element of another name"
            raise BadRequest(
                f"'{known}' is not changed by this operation; {', '.join(LISTS)} are.", f"{at}.value.{name}"
            )
    return meta
