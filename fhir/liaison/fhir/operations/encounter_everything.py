"""$everything of an encounter: https://hl7.org/fhir/R4/encounter-operation-everything.html

The Encounter, what refers to it in the record, what these refer to, and who and what stands behind that (SUPPORTING),
each once. What belongs to other encounters is not followed. All of it is found on the first page; further pages read it
again by its keys, at the first page's snapshot and with the rights of now.
"""

from collections.abc import Sequence
from typing import Final

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.errors import Forbidden, NotFound, TooCostly
from liaison.fhir.interactions.routing import Route
from liaison.fhir.operations import sealed_list
from liaison.fhir.operations.call import Call
from liaison.fhir.operations.definitions import ENCOUNTER_EVERYTHING
from liaison.fhir.operations.referred import Referred
from liaison.fhir.operations.within import Within
from liaison.fhir.search import page
from liaison.fhir.search.reference import ways
from liaison.fhir.search.scopes import letter_for
from liaison.fhir.search.sql import Compiler
from liaison.fhir.search.whole import Part, referring
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Key, Opened, Request
from liaison.fhir.store.rows import rows_of

_MOST: Final = 20_000
"""Resources that refer to one encounter; more than that is refused, not cut off."""


async def encounter_everything(store: Store, caller: Caller, where: Route, request: Request, base_url: str) -> Answer:
    """A page of what belongs to one encounter. NotFound for one absent or hidden."""
    if letter_for(caller, "Encounter") is None:
        raise Forbidden("The scopes of this token do not allow reading Encounter.")
    call = Call.begin(store, caller, where, request, ENCOUNTER_EVERYTHING)
    part = call.part(caller)
    if not call.first:
        return await _further(store, caller, call, base_url)
    key = store.key("Encounter", where.id_)
    if key is None:
        raise NotFound
    referred = Referred(store, caller, base_url, None)
    found = await referred.rows([key])
    if not found:
        raise NotFound
    around = [one for one in await _around(store, caller, key, referred.snapshot, base_url) if _asked(part, one)]
    seen = {key, *(one.row.key for one in around)}
    included = await referred.closure(found, seen, RESOURCE_TYPES)
    included += await referred.closure(around, seen, RESOURCE_TYPES - {"Encounter"})
    matches = [one for one in (*found, *around) if _asked(part, one)]
    included = [one for one in included if part.kinds is None or one.row.key.kind in part.kinds]
    answer = await _page(store, caller, call, matches, included, referred.snapshot or "", base_url)
    return answer._replace(singled=frozenset({key.patient}))


async def _around(store: Store, caller: Caller, key: Key, snapshot: str | None, base_url: str) -> list[Opened]:
    """What refers to the encounter, by its stored bytes."""
    keys = await store.vault.patient_keys(store.database.reading, [key.patient])
    if key.patient not in keys:
        raise NotFound  # erased meanwhile
    compiler = Compiler(store.filter, "patient", caller.session, snapshot)
    written = ways("Encounter", store.id(key), base_url)
    statement = referring(compiler, keys[key.patient], "Encounter", written, _MOST + 1)
    records = await store.lanes.fetch(statement.text, *statement.arguments)
    if len(records) > _MOST:
        raise TooCostly(f"More than {_MOST} resources refer to this Encounter. Search them by type instead.")
    found = await Within(store, caller, base_url).opened(rows_of(records))
    named = f'"reference":"Encounter/{store.id(key)}'.encode()
    return [one for one in found if one.row.key != key and named in one.body]


def _asked(part: Part, one: Opened) -> bool:
    """Within `_type` and `_since`. What only supports the rest is not held back by `_since`."""
    if part.kinds is not None and one.row.key.kind not in part.kinds:
        return False
    return part.since is None or one.row.at >= part.since


async def _page(
    store: Store,
    caller: Caller,
    call: Call,
    matches: Sequence[Opened],
    included: Sequence[Opened],
    snapshot: str,
    base_url: str,
) -> Answer:
    """The first page: all of it, or the beginning and a list of the rest."""
    count = call.count
    every = [one.row.key for one in (*matches, *included)]
    following = None
    if len(every) > count:
        stored = await sealed_list.save(store, every)
        following = call.here._replace(snapshot=snapshot, total=len(matches), stored=stored, offset=count)
    shown = included[: max(0, count - len(matches))]
    return call.answer(store, caller, matches[:count], shown, following, base_url, len(matches))


async def _further(store: Store, caller: Caller, call: Call, base_url: str) -> Answer:
    here, count = call.here, call.count
    if not here.stored:
        raise page.dead()
    every = await sealed_list.load(store, here.stored)
    some = every[here.offset : here.offset + count]
    opened = await Referred(store, caller, base_url, here.snapshot or None).rows(some)
    matching: set[Key] = set(every[: here.total or 0])
    matches = [one for one in opened if one.row.key in matching]
    included = [one for one in opened if one.row.key not in matching]
    upto = here.offset + count
    following = here._replace(offset=upto) if len(every) > upto else None
    return call.answer(store, caller, matches, included, following, base_url, here.total)
