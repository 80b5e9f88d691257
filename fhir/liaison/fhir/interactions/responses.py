"""The response Bundle of a batch or transaction, joined from the answers of its entries."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson

from liaison.fhir.interactions import outcome, prefer
from liaison.fhir.interactions.content import instant
from liaison.fhir.interactions.entries import Entry
from liaison.fhir.store.contract import Answer, Request

Perform = Callable[[Any, Request], Awaitable[Answer]]
"""Does one entry by the same path as a request of its own, without journaling it."""

AsAnswer = Callable[[Exception], Answer]
"""The answer to what went wrong."""


def _entry(answer: Answer) -> bytes:
    headers = dict(answer.headers)
    response: dict[str, object] = {"status": outcome.status_text(answer.status)}
    for name, header in (("location", "location"), ("etag", "etag")):
        if header in headers:
            response[name] = headers[header]
    if answer.modified is not None:
        response["lastModified"] = instant(answer.modified)
    text = orjson.dumps(response)
    if not answer.body:
        return b'{"response":' + text + b"}"
    # One that was stored and is shown has an address; any other tells how it went.
    told = answer.body.startswith(b'{"resourceType":"OperationOutcome"') and "content-location" not in headers
    if answer.status >= 400 or told:
        return b'{"response":' + text[:-1] + b',"outcome":' + answer.body + b"}}"
    return b'{"resource":' + answer.body + b',"response":' + text + b"}"


def response_bundle(type_: str, entries: Sequence[Entry], answers: Sequence[Answer], outer: Request) -> Answer:
    """200 with every answer in its place. `parts` gives the journal each entry as a request of its own."""
    found = [_entry(answer) for answer in answers]
    listed = b',"entry":[' + b",".join(found) + b"]" if found else b""
    body = b'{"resourceType":"Bundle","type":"%b"%b}' % (type_.encode(), listed)
    followed = prefer.applied(outer.headers) if any(_wrote(entry) for entry in entries) else ()
    parts = tuple((_asked(entry, outer), answer) for entry, answer in zip(entries, answers, strict=True))
    disclosed = tuple(one for answer in answers for one in answer.disclosed)
    return Answer(200, body, followed, disclosed, None, parts)


def _wrote(entry: Entry) -> bool:
    return entry.route is not None and entry.route.name in (
        "create",
        "update",
        "patch",
        "conditional-update",
        "conditional-patch",
    )


def _asked(entry: Entry, outer: Request) -> Request:
    """What the journal records of an entry: everything but its body."""
    return Request(entry.method, entry.path, entry.query, b"", entry.headers, outer.request_id, outer.address)
