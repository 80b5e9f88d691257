"""Two records that may be of one person: who keeps both identities is shown them, and says what they are.

`Patient/$duplicates` proposes pairs among the records that the caller sees and whose identity they keep: nobody learns by it
that someone is known elsewhere. One person: `$merge` (merging). Two people: `Patient/$tell-apart`, which stands in the review
list of both records, naming the other to whoever may see it; the pair is proposed no more, and may still be merged. Either
way the doubt that a colliding identity had opened in the review list is settled.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode, urlsplit

from liaison.auth.access import internal, team_writing, vocabulary
from liaison.auth.access.identifying import kept_by, may_write_identity, require_keeper
from liaison.auth.access.join import found_by
from liaison.auth.access.resemblance import Likeness, pairs
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, Conflict, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.search import search
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

DISTINCT: Final = "distinct"
DOUBT: Final = "duplicate"
MOST: Final = 5_000
"""People of one caller who are compared. Nobody follows more."""
_AT_ONCE: Final = 100


class Proposed(NamedTuple):
    """Two records, the surest first. `distinct`: somebody has said that they are two people."""

    one: str
    other: str
    likeness: Likeness
    distinct: bool


async def proposed(store: Store, caller: Caller, base_url: str) -> list[Proposed]:
    """Raises Forbidden for a role that does not keep identities."""
    require_keeper(caller)
    people = await _mine(store, caller, base_url)
    found = pairs(people)
    concerned = sorted({place for pair in found for place in pair[:2]})
    kept = await _kept(store, caller, [people[place] for place in concerned])
    named = [f"Patient/{people[place]['id']}" for place in concerned if people[place]["id"] in kept]
    apart = await _told_apart(store, caller, named, base_url)
    return [
        Proposed(one, other, likeness, frozenset((one, other)) in apart)
        for one, other, likeness in (
            (f"Patient/{people[first]['id']}", f"Patient/{people[second]['id']}", likeness)
            for first, second, likeness in found
            if {people[first]["id"], people[second]["id"]} <= kept
        )
    ]


async def tell_apart(store: Store, caller: Caller, one: Key, other: Key, base_url: str) -> None:
    """They are two people. Raises BadRequest for one record, NotFound for one that is not seen, Forbidden like `merge`,
    Conflict where one of them is merged already or this was said before."""
    if one == other:
        raise BadRequest("A record is not told apart from itself.", "Parameters.parameter")
    for key in (one, other):
        opened = await store.read(caller, key)
        if opened is None or opened.row.deleted:
            raise NotFound
        if any(link.get("type") == "replaced-by" for link in read(opened.stored).get("link") or ()):
            raise Conflict("One of these records was merged already.")
    await may_write_identity(store, caller, [one.patient, other.patient])
    references = [store.reference(key) for key in (one, other)]
    if await _told_apart(store, caller, references, base_url):
        raise Conflict("These two records were told apart already.")
    by, now = team_writing.staff_reference(store, caller), await store.database.now()
    writes = []
    for mine, theirs in (references, reversed(references)):
        line = team_writing.review(mine, DISTINCT, "Deux personnes différentes", by, now, focus={"reference": theirs})
        writes.append(Write("create", "Task", checked({**line, "status": "completed"}, "Task")))
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        writes += await settling(store, cell, references, DISTINCT, "Deux personnes différentes", by, base_url)
        await commit(store, cell, writes, base_url)
    finally:
        await internal.close_session(store.database.writing, cell)


async def settling(
    store: Store, cell: Caller, references: Sequence[str], outcome: str, display: str, by: str, base_url: str
) -> list[Write]:
    """The doubts about these records that are open in the review list, as they are to be written: settled."""
    now = (await store.database.now()).isoformat(timespec="seconds")
    asked = {"code": f"{vocabulary.REVIEW}|{DOUBT}", "status": "requested", "_count": "1000"}
    tasks = await found_by(store, cell, f"Task?{urlencode({**asked, 'patient': ','.join(references)})}", base_url)
    writes = []
    for tree in tasks:
        settled = {
            **tree,
            "status": "completed",
            "businessStatus": {"coding": [{"system": vocabulary.REVIEW, "code": outcome, "display": display}]},
            "owner": {"reference": by},
            "lastModified": now,
        }
        unchanged = {"if-match": f'W/"{tree["meta"]["versionId"]}"'}
        writes.append(Write("update", "Task", checked(settled, "Task"), id_=tree["id"], headers=unchanged))
    return writes


async def _mine(store: Store, caller: Caller, base_url: str) -> list[Tree]:
    """The people whom the caller sees, page by page."""
    found: list[Tree] = []
    query: str | None = "_count=1000&_sort=_id"
    while query is not None and len(found) < MOST:
        bundle: dict[str, Any] = read((await search(store, caller, "Patient", query, base_url=base_url)).body)
        found += [entry["resource"] for entry in bundle.get("entry") or ()]
        following = next((one["url"] for one in bundle.get("link") or () if one["relation"] == "next"), None)
        query = urlsplit(following).query if following else None
    return found


async def _kept(store: Store, caller: Caller, people: Sequence[Tree]) -> set[str]:
    """The ids of those whose identity the caller keeps."""
    keys = {tree["id"]: store.key("Patient", tree["id"]) for tree in people}
    numbers = await kept_by(store, caller, [key.patient for key in keys.values() if key])
    return {id_ for id_, key in keys.items() if key and key.patient in numbers}


async def _told_apart(store: Store, caller: Caller, references: Sequence[str], base_url: str) -> set[frozenset[str]]:
    """The pairs of these records of which it was said that they are two people."""
    if not references:
        return set()
    apart = set()
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        for start in range(0, len(references), _AT_ONCE):
            some = ",".join(references[start : start + _AT_ONCE])
            asked = {"code": f"{vocabulary.REVIEW}|{DISTINCT}", "patient": some, "_count": "1000"}
            for tree in await found_by(store, cell, f"Task?{urlencode(asked)}", base_url):
                pair = {str((tree.get(name) or {}).get("reference", "")) for name in ("for", "focus")}
                if pair <= set(references):
                    apart.add(frozenset(pair))
    finally:
        await internal.close_session(store.database.writing, cell)
    return apart
