"""$validate: https://hl7.org/fhir/R4/resource-operation-validate.html

Every problem of a resource by its FHIRPath, against R4 (4.0.1) itself, as an OperationOutcome; 200 whatever is found.
`mode` create, update or delete asks besides whether this caller's request would be accepted here, now: it is carried out
in a transaction that is then rolled back, so that the answer is the one the request would get, word for word, and so
that nothing is learnt which the request would not tell. Nothing is stored.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from liaison.fhir import model
from liaison.fhir.definitions import RESOURCE_TYPES, ownership
from liaison.fhir.definitions.profiles import PROFILES, Profile, profiles_of
from liaison.fhir.errors import BadRequest, FhirError, Gone, Issue, NotFound
from liaison.fhir.interactions import outcome, scope
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import cleaned
from liaison.fhir.interactions.create import LARGE
from liaison.fhir.interactions.routing import Route
from liaison.fhir.interactions.subset import require_whole
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model.validation import profiles
from liaison.fhir.operations.definition import refused
from liaison.fhir.operations.definitions import VALIDATE
from liaison.fhir.search import added
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Interaction, Opened, Request, Tree

_BASE: Final = "http://hl7.org/fhir/StructureDefinition/"
_LETTERS: Final[dict[str, Interaction]] = {"create": "c", "update": "u", "delete": "d"}
_MODES: Final = frozenset({*_LETTERS, "profile", "no-action"})
_FINE: Final = Issue("informational", "No problem was found.", severity="information")


class _RolledBack(Exception):
    """All went well; nothing of it is to stay."""


async def validate(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """The OperationOutcome. NotFound for a resource of the URL that is absent or hidden."""
    given = VALIDATE.read(request)
    mode = given.text("mode")
    if mode and mode not in _MODES:
        raise refused("mode", f"is one of {', '.join(sorted(_MODES))}.")
    asked = _asked(given.text("profile"), where.type_)
    tree = given.trees.get("resource")
    letter = _LETTERS.get(mode)
    if letter is not None:
        scope.permit_letter(caller, letter, where.type_)
    if mode in ("update", "delete") and not where.id_:
        raise refused("mode", f"{mode} is about one resource: call {where.type_}/[id]/$validate.")
    if mode == "create" and where.id_:
        raise refused("mode", f"create is about no resource yet: call {where.type_}/$validate.")
    there = await _named(store, caller, where, letter or "r") if where.id_ else None
    if tree is None and mode != "delete":
        if there is None or letter is not None:
            raise BadRequest("The parameter 'resource' is required.", "Parameters.parameter.where(name='resource')")
        return _answer(await _problems(model.read(there.body), where.type_, asked), there)
    found = [] if tree is None or mode == "delete" else await _problems(tree, where.type_, asked)
    if letter is not None and not any(issue.severity == "error" for issue in found):
        found += await _tried(store, caller, mode, where, tree, base_url)
    return _answer(found)


def _asked(profile: str, type_: str) -> list[Profile]:
    """The profile that is asked for beyond those that the resource claims; none for the base definition."""
    url = profile.partition("|")[0]
    if url in ("", _BASE + type_):
        return []
    if url not in PROFILES or PROFILES[url].type_ != type_:
        known = ", ".join([_BASE + type_, *profiles_of(type_)])
        raise refused("profile", f"is not known here: one of {known}.")
    return [PROFILES[url]]


async def _named(store: Store, caller: Caller, where: Route, letter: Interaction) -> Opened:
    """The resource of the URL, as whoever reads or changes it would find it."""
    scope.permit_letter(caller, letter, where.type_)
    key = store.key(where.type_, where.id_)
    found = None if key is None else await store.read(caller, key)
    if found is None:
        raise NotFound
    if found.row.deleted:
        raise Gone("The resource was deleted.")
    scope.require_visible(caller, letter, where.type_, model.read(found.body))
    return found


async def _problems(tree: Tree, type_: str, asked: Sequence[Profile]) -> list[Issue]:
    """All that is wrong with the content, and what of its narratives would not be stored: they are cleaned in their place."""
    named = tree.get("resourceType")
    if isinstance(named, str) and named in RESOURCE_TYPES and named != type_:
        return [Issue("structure", f"The resource is not the {type_} of its URL.", "resourceType")]
    large = len(model.dump(tree)) > LARGE
    found = await asyncio.to_thread(model.problems, tree) if large else model.problems(tree)
    if not any(issue.severity == "error" for issue in found):
        also = [one for one in asked if one not in profiles.claimed(tree)]
        found = [*found, *profiles.problems(tree, also), *cleaned(tree)]
    if type_ == "SearchParameter" and not any(issue.severity == "error" for issue in found):
        return [*found, *added.problems(tree)]
    return found


async def _tried(
    store: Store, caller: Caller, mode: str, where: Route, tree: Tree | None, base_url: str
) -> Sequence[Issue]:
    """What stands against this write, as it would be said."""
    content = None if mode == "delete" else tree
    if content is not None and mode == "update" and content.get("id") != where.id_:
        return [Issue("invalid", "The id in the resource is not the id of the URL.", f"{where.type_}.id")]
    if ownership(where.type_).rule == "never":
        return [Issue("not-supported", f"{where.type_} is not stored. {ownership(where.type_).reason}", where.type_)]
    write = Write("create" if mode == "create" else "update" if mode == "update" else "delete", where.type_, content)
    write.id_ = where.id_

    async def roll_back(_: object) -> None:
        raise _RolledBack

    try:
        if content is not None:
            require_whole(content)
            scope.require_written(caller, _LETTERS[mode], where.type_, content)
        await commit(store, caller, [write], base_url, also=roll_back)
    except _RolledBack:
        return []
    except FhirError as error:
        if error.status >= 500:
            raise
        return error.issues
    finally:
        if write.interaction == "create" and where.type_ == "Patient" and write.patient:
            store.vault.forget(write.patient)
    raise AssertionError("a trial is never committed")


def _answer(issues: Sequence[Issue], *shown: Opened) -> Answer:
    found = sorted(issues, key=lambda issue: issue.severity != "error") or [_FINE]
    return Answer(200, outcome.render(tuple(found)), (), tuple(one.disclosure for one in shown))
