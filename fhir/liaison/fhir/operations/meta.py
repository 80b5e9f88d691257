"""$meta: https://hl7.org/fhir/R4/resource-operation-meta.html

On a resource: its own Meta. On a type or the whole service: the profiles, tags and security labels that stand on
resources which the caller may see, each once, in order. One visible row stands for all that carry the same label in a
record: no more is opened.
"""

from typing import Any, Final

from liaison.fhir import model
from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES, kind_of, ownership, search_parameters
from liaison.fhir.errors import Forbidden, Gone, NotFound, TooCostly, UnknownPath
from liaison.fhir.interactions import etag, scope
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations.definitions import META
from liaison.fhir.operations.within import Within
from liaison.fhir.search.decide import BUDGET
from liaison.fhir.search.scopes import letter_for
from liaison.fhir.search.sql import Compiler, Family
from liaison.fhir.search.whole import labelled
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Request, Row, Tree
from liaison.fhir.store.rows import rows_of

LISTS: Final = ("profile", "security", "tag")
_CODINGS: Final = ("security", "tag")
_PROBES: Final = 300_000
"""(patient, type) whose labels one question may look up."""


async def meta(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """The Meta as Parameters. NotFound for a resource absent or hidden; Gone for one deleted that was visible."""
    META.read(request)
    if where.id_:
        return await _of_resource(store, caller, where)
    types = {where.type_} if where.type_ else RESOURCE_TYPES
    asked = sorted(type_ for type_ in types if ownership(type_).rule != "never" and letter_for(caller, type_))
    if where.type_:
        require_stored(where.type_)
    if not asked:
        raise Forbidden(f"The scopes of this token do not allow reading {where.type_ or 'any type'}.")
    found: dict[str, dict[Any, Any]] = {name: {} for name in LISTS}
    for row in await Within(store, caller, base_url).opened(await _rows(store, caller, asked)):
        _add(found, model.glance(row.body).get("meta") or {})
    return answered({name: [one for _, one in sorted(values.items())] for name, values in found.items() if values})


def require_stored(type_: str) -> None:
    """Raises UnknownPath for a type that is not in the record: nothing of it has labels."""
    if ownership(type_).rule == "never":
        raise UnknownPath(f"{type_} is not in the record. {ownership(type_).reason}")


def answered(tree: Tree, *more: Any, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """A Meta as the `return` of an operation. An empty one says that there is nothing: the parameter is left out."""
    parameter = [{"name": "return", "valueMeta": tree}] if tree else []
    body = model.dump({"resourceType": "Parameters", **({"parameter": parameter} if parameter else {})})
    return Answer(200, body, headers, tuple(more))


async def _of_resource(store: Store, caller: Caller, where: Route) -> Answer:
    require_stored(where.type_)
    scope.permit_letter(caller, "r", where.type_)
    key = store.key(where.type_, where.id_)
    found = None if key is None else await store.read(caller, key)
    if found is None or not await scope.shows_version(store, caller, where.type_, found):
        raise NotFound
    if found.row.deleted:
        raise Gone("The resource was deleted.")
    headers = etag.meta(found.row.version, found.row.at)
    return answered(model.read(found.body)["meta"], found.disclosure, headers=headers)


async def _rows(store: Store, caller: Caller, types: list[str]) -> list[Row]:
    """Visible rows that together carry every label there is on these types."""
    families: dict[Family, list[str]] = {
        "patient": [type_ for type_ in types if ownership(type_).rule != "directory"],
        "directory": [type_ for type_ in types if type_ in DIRECTORY_TYPES],
    }
    # A row stands for others only where the criteria of the scopes cannot tell them apart.
    each = any(caller.bound.criteria(letter_for(caller, type_) or "r", type_) for type_ in types)
    numbers = [search_parameters("Patient")[f"_{name}"].number for name in LISTS]
    found: list[Row] = []
    for family, some in families.items():
        if some:
            compiler = Compiler(store.filter, family, caller.session)
            if family == "patient":
                await _afford(store, caller, len(some))
            statement = labelled(compiler, [kind_of(type_) for type_ in some], numbers, BUDGET + 1, each=each)
            found += rows_of(await store.lanes.fetch(statement.text, *statement.arguments))
    if len(found) > BUDGET:
        raise TooCostly(f"More than {BUDGET} labels would have to be read. Ask for one type.")
    return found


async def _afford(store: Store, caller: Caller, types: int) -> None:
    """Raises TooCostly when the index would be asked about too many (patient, type)."""
    patients = f"select count(*) as patients from {store.filter.patients('$1::bigint')} p"
    [[count]] = await store.lanes.fetch(patients, caller.session)
    if count * types > _PROBES:
        raise TooCostly(
            f"The labels of {types} types in {count} records are too many to look through. Ask for one type."
        )


def _add(found: dict[str, dict[Any, Any]], meta_: Tree) -> None:
    for one in meta_.get("profile") or ():
        found["profile"].setdefault(one, one)
    for name in _CODINGS:
        for coding in meta_.get(name) or ():
            found[name].setdefault(identity(coding), coding)


def identity(coding: Tree) -> tuple[str, str]:
    """What makes two labels the same: system and code. Version and display only describe it."""
    return str(coding.get("system", "")), str(coding.get("code", ""))
