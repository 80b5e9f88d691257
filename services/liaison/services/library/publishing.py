"""Publishing a folder of protocols: checked, compared with what is out, kept for good, and readable over FHIR.

First the rows and the entry of the journal, in one transaction; then the resources, each created where there is none of its
canonical. Cut short between the two, publishing the same again writes what is missing.
"""

from collections.abc import Sequence
from typing import Final

import asyncpg
import orjson

from liaison.auth.access import internal
from liaison.auth.access.roles import ROLES
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Entry, Event
from liaison.fhir.model import validate
from liaison.fhir.store.contract import Request
from liaison.protocols.library import Library, check, shipped
from liaison.protocols.library.pinning import all_pinned
from liaison.protocols.library.publication import digest, judge
from liaison.protocols.library.source import Problem, Source
from liaison.services.house import House
from liaison.services.library.published import bound_to, published

_LOCK = 0x11A17A


ROLE_CODES: Final = frozenset({*ROLES, "attending-gp"})
"""What a participant of a protocol may be named by."""


class NotPublished(ValueError):
    """The folder has `problems`; nothing was published."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{len(self.problems)} problems: nothing was published")


async def publish(house: House, folder: Library, by: str) -> tuple[Source, ...]:
    """What is new in the folder, now in force. Raises NotPublished with each problem by file and line."""
    async with house.database.writing.acquire() as one, one.transaction():
        await one.execute("select pg_advisory_xact_lock($1)", _LOCK)
        out = await published(one, house.vault)
        folder = all_pinned(folder, out, shipped())
        verdict = judge(folder, out)
        if problems := sorted(
            {*check(folder, validate, beside=out.beside(shipped()), roles=ROLE_CODES), *verdict.problems}
        ):
            raise NotPublished(problems)
        await _keep(one, house, verdict.new, by)
    await _write(house)
    return verdict.new


async def publish_shipped(house: House, by: str) -> tuple[tuple[Source, ...], tuple[Problem, ...]]:
    """What comes with this version of Liaison, as far as it was not published before; and what of it is out with other
    content, which stays as it was published."""
    out = await published(house.database.reading, house.vault)
    judged = [(one, judge(Library((one,)), out).problems) for one in all_pinned(shipped(), out, shipped())]
    fine = Library(tuple(one for one, problems in judged if not problems))
    return await publish(house, fine, by), tuple(problem for _one, problems in judged for problem in problems)


async def _keep(connection: asyncpg.Connection, house: House, new: Sequence[Source], by: str) -> None:
    if not new:
        return
    await connection.executemany(
        "insert into published_definition (url, version, digest, sealed, published_by) values ($1, $2, $3, $4, $5)",
        [
            (
                source.tree["url"],
                source.tree["version"],
                digest(source.tree),
                house.vault.territory.seal(
                    bound_to(source.tree["url"], source.tree["version"]), orjson.dumps(source.tree)
                ),
                by,
            )
            for source in new
        ],
    )
    detail = {"act": Act.PROTOCOL_PUBLISHED, "by": by, "definitions": {one.canonical: digest(one.tree) for one in new}}
    told = Entry(Event.CONFIGURATION, method="console", path="protocol publish", reason=by, detail=detail)
    await house.journal.record_within(connection, (told,))


async def _write(house: House) -> None:
    """The resources of what is out and has none yet, for those who read definitions over FHIR."""
    writing = house.database.writing
    missing = await writing.fetch(
        "select url, version, sealed from published_definition where resource is null order by at, url, version"
    )
    if not missing:
        return
    caller = await internal.open_session(writing, "library")
    try:
        entries = []
        for row in missing:
            tree = orjson.loads(house.vault.territory.open(bound_to(row["url"], row["version"]), row["sealed"]))
            only = f"url={tree['url']}&version={tree['version']}"
            entries.append(
                {"resource": tree, "request": {"method": "POST", "url": tree["resourceType"], "ifNoneExist": only}}
            )
        body = orjson.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries})
        answer = await house.engine.handle(caller, Request("POST", "", "", body, {"prefer": "return=minimal"}))
        if answer.status != 200:
            raise RuntimeError(f"The published protocols were not written: {answer.body.decode()[:500]}")
        made = orjson.loads(answer.body)["entry"]
    finally:
        await internal.close_session(writing, caller)
    await writing.executemany(
        "update published_definition set resource = $3 where url = $1 and version = $2",
        [
            (row["url"], row["version"], "/".join(entry["response"]["location"].split("/")[-4:-2]))
            for row, entry in zip(missing, made, strict=True)
        ],
    )
