"""POST of a Bundle to the base: a batch or a transaction."""

import asyncio

from liaison.fhir.errors import BadRequest
from liaison.fhir.interactions.batch import batch
from liaison.fhir.interactions.create import LARGE
from liaison.fhir.interactions.entries import read_entries
from liaison.fhir.interactions.responses import AsAnswer, Perform
from liaison.fhir.interactions.transaction import transaction
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Request


async def bundle(
    store: Store,
    caller: Caller,
    request: Request,
    base_url: str,
    perform: Perform,
    as_answer: AsAnswer,
    most_deletions: int = 1,
) -> Answer:
    """The response Bundle. A transaction that fails raises, with nothing written; a batch that can be read never does."""
    body = request.body
    if not body:
        raise BadRequest("The body is empty: send a Bundle.")
    large = len(body) > LARGE
    tree = await asyncio.to_thread(read, body) if large else read(body)
    if tree.get("resourceType") != "Bundle":
        raise BadRequest("Send a Bundle of type batch or transaction here.", "resourceType")
    kind = tree.get("type")
    if kind not in ("batch", "transaction"):
        raise BadRequest(
            "Only a Bundle of type batch or transaction is processed here; to keep any other as it is, send it as a "
            "resource in a transaction with a resource that refers to it, which says whose it is.",
            "Bundle.type",
        )
    asked = tree, request, base_url
    entries = await asyncio.to_thread(read_entries, *asked) if large else read_entries(*asked)
    if kind == "batch":
        return await batch(caller, entries, request, base_url, perform, as_answer)
    return await transaction(store, caller, entries, request, base_url, perform, as_answer, most_deletions)
