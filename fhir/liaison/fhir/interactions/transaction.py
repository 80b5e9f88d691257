"""transaction: https://hl7.org/fhir/R4/http.html#transaction. All of it in one database transaction, or nothing.

An error names the entry (Bundle.entry[3]). A read that fails is one: reads are done before anything is written, so that
they can refuse it, and again when it is committed, so that they see what was written.
"""

import asyncio
from collections.abc import Sequence

from liaison.fhir.errors import BadRequest, FhirError, Issue, Unprocessable
from liaison.fhir.interactions import content, patch_body, scope
from liaison.fhir.interactions.applicable import require_applicable
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.create import criteria_of, written
from liaison.fhir.interactions.delete import deleted
from liaison.fhir.interactions.entries import Entry, full_urls, named
from liaison.fhir.interactions.responses import AsAnswer, Perform, response_bundle
from liaison.fhir.interactions.update import check_id
from liaison.fhir.interactions.writes import Write
from liaison.fhir.search.parse import pairs
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Caller, Request

YIELD_EVERY = 50
NAMED = 50


async def transaction(
    store: Store,
    caller: Caller,
    entries: Sequence[Entry],
    outer: Request,
    base_url: str,
    perform: Perform,
    as_answer: AsAnswer,
    most_deletions: int = 1,
) -> Answer:
    """A transaction-response Bundle, in the order of the request."""
    _refuse_problems(entries)
    full_urls(entries)
    writes: dict[int, Write] = {}
    for index in sorted(range(len(entries)), key=lambda index: entries[index].order):
        entry = entries[index]
        try:
            found = _write(caller, entry, most_deletions)
        except FhirError as error:
            raise named(entry.at, error) from None
        if found is not None:
            writes[index] = found
    _refuse_doubles(list(writes.values()))
    await _validate(caller, list(writes.values()))
    for index, entry in enumerate(entries):
        if index not in writes:
            try:
                await perform(caller, entry.request(outer))
            except FhirError as error:
                raise named(entry.at, error) from None
    await commit(store, caller, list(writes.values()), base_url)
    answers: list[Answer] = []
    for index, entry in enumerate(entries):
        write = writes.get(index)
        try:
            if write is None:
                answers.append(await perform(caller, entry.request(outer)))
            elif write.interaction == "delete":
                answers.append(deleted(write))
            else:
                answers.append(await written(store, caller, write, base_url))
        except Exception as error:  # noqa: BLE001  # It is committed: what a read of it cannot show is said in its place.
            answers.append(as_answer(error))
    return response_bundle("transaction-response", entries, answers, outer)


def _refuse_problems(entries: Sequence[Entry]) -> None:
    """Every entry that could not be understood, in one answer."""
    problems = [entry.problem for entry in entries if entry.problem is not None]
    if problems:
        raise BadRequest(issues=[issue for problem in problems for issue in problem.issues][:NAMED])


def _write(caller: Caller, entry: Entry, most_deletions: int) -> Write | None:
    """The entry as a write, or None when it only reads."""
    route = entry.route
    assert route is not None
    scope.permit(caller, route)
    require_applicable(route, entry.query, entry.headers)
    match route.name:
        case "create":
            write = Write("create", route.type_, entry.resource, entry.at, full_url=entry.full_url)
            if "if-none-exist" in entry.headers:
                write.none_exist = criteria_of(entry.headers["if-none-exist"], "ifNoneExist")
        case "update":
            assert entry.resource is not None
            check_id(entry.resource, route.id_)
            write = Write("update", route.type_, entry.resource, entry.at, route.id_, entry.full_url)
        case "conditional-update":
            scope.permit_letter(caller, "c", route.type_)
            write = Write("update", route.type_, entry.resource, entry.at, full_url=entry.full_url)
            write.matching = criteria_of(entry.query, "A conditional update")
        case "patch" | "conditional-patch":
            scope.permit_letter(caller, "r", route.type_)
            assert entry.resource is not None
            found = patch_body.read_patch(*patch_body.of_entry(entry.resource))
            write = Write("update", route.type_, None, entry.at, route.id_, patch=found)
            if route.name == "conditional-patch":
                write.matching = criteria_of(entry.query, "A conditional patch")
        case "delete":
            write = Write("delete", route.type_, None, entry.at, route.id_)
        case "conditional-delete":
            write = Write("delete", route.type_, None, entry.at, most=most_deletions)
            write.matching = criteria_of(entry.query, "A conditional delete")
        case "operation":
            raise BadRequest("Operations are not run inside a transaction; send a batch.", "request.url")
        case _:
            return None
    write.headers = entry.headers
    return write


def _refuse_doubles(writes: Sequence[Write]) -> None:
    """R4: 'a resource can only appear in a transaction once (by identity)'. What criteria match is compared when they
    have been searched; equal criteria, in whatever order, would create two of what is to be one. What they match may be
    deleted, and then created anew."""
    seen: dict[tuple[str, object], Write] = {}
    for write in writes:
        criteria = write.none_exist or write.matching
        named: object = write.id_
        if criteria:
            named = write.interaction == "delete", tuple(sorted(pairs(criteria)))
        if named:
            first = seen.setdefault((write.type_, named), write)
            if first is not write:
                raise first.doubled(write)


async def _validate(caller: Caller, writes: Sequence[Write]) -> None:
    """Every problem of every resource; others are served meanwhile."""
    issues: list[Issue] = []
    types = {write.full_url: write.type_ for write in writes if write.full_url and write.tree is not None}
    for number, write in enumerate(writes):
        if write.tree is not None:
            try:
                write.told = content.checked_and_told(write.tree, write.type_, write.at, types).told
                for letter in ("c", "u") if write.matching else ("c" if write.interaction == "create" else "u",):
                    scope.require_written(caller, letter, write.type_, write.tree)
            except Unprocessable as error:
                issues += named(write.at, error).issues
            except FhirError as error:
                raise named(write.at, error) from None
        if number % YIELD_EVERY == 0:
            await asyncio.sleep(0)
    if issues:
        raise Unprocessable(issues=issues[:NAMED])
