"""create: https://hl7.org/fhir/R4/http.html#create, and conditional create (If-None-Exist)."""

import asyncio
from collections.abc import Mapping
from typing import Final

from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.interactions import content, prefer, scope
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import NAMES_HIDDEN, Answer, Caller, Disclosure

LARGE: Final = 256 * 1024
"""Bytes above which reading and validating leave the event loop, so that others are answered meanwhile."""


async def receive(body: bytes, type_: str) -> content.Received:
    """The resource of a body, valid. A large one is read in a thread."""
    if len(body) > LARGE:
        return await asyncio.to_thread(content.received, body, type_)
    return content.received(body, type_)


def without_path(query: str) -> str:
    """Criteria that were sent with their path (`Patient?identifier=…`) or a leading question mark, without.

    One further on is part of a value, as it may be in any query (RFC 3986 §3.4): what follows it are not other criteria.
    """
    path, mark, criteria = query.partition("?")
    return criteria if mark and "=" not in path else query


def criteria_of(query: str, header: str) -> str:
    """The criteria of a conditional request. None at all would match everything."""
    found = without_path(query)
    if not found.strip():
        raise BadRequest(f"{header} has no search criteria.")
    return found


async def create(
    store: Store, caller: Caller, type_: str, body: bytes, headers: Mapping[str, str], base_url: str
) -> Answer:
    """201 with the new version, or 200 with the one match of If-None-Exist. The sender's own id is not kept."""
    tree, told = await receive(body, type_)
    scope.require_written(caller, "c", type_, tree)
    write = Write("create", type_, tree, headers=headers, told=told)
    if "if-none-exist" in headers:
        write.none_exist = criteria_of(headers["if-none-exist"], "If-None-Exist")
    await commit(store, caller, [write], base_url)
    return await written(store, caller, write, base_url)


async def written(store: Store, caller: Caller, write: Write, base_url: str) -> Answer:
    """The answer to one committed write."""
    assert write.key is not None
    where = f"{base_url}/{write.type_}/{store.id(write.key)}/_history/"
    if write.existing:
        found = await store.read(caller, write.key)
        if found is None or found.row.deleted:
            raise NotFound
        row = found.row
        answer = prefer.written(
            write.headers, 200, found.body, row.version, row.at, f"{where}{row.version}", (found.disclosure,)
        )
        return answer._replace(consulted=write.consulted, singled=write.singled)
    change = write.change
    assert change is not None
    status = 201 if write.interaction == "create" else 200
    shown: tuple[Disclosure, ...] = ()
    body = change.body
    if write.patch is not None and prefer.returns(write.headers) == "representation" and change.before_row is not None:
        # More is shown than was sent.
        shown = (Disclosure(change.key, change.version, change.before_row.grants),)
        if change.labels.classes & NAMES_HIDDEN:
            found = await store.version(caller, change.key, change.version)
            body = found.body if found is not None else b""
    answer = prefer.written(
        write.headers, status, body, change.version, change.at, f"{where}{change.version}", shown, write.told
    )
    return answer._replace(consulted=write.consulted, singled=write.singled)
