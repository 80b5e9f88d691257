"""Two records that may be of one person: who keeps both identities is shown them, and says what they are.

`Patient/$duplicates` proposes pairs among the records that the caller sees and whose identity they keep: nobody learns by it
that someone is known elsewhere. One person: `$merge` (merging). Two people: `Patient/$tell-apart`, which stands in the review
list of both records, under one number and without naming the other: the person reads their own list (row 21). The pair is
proposed as decided from then on, and may still be merged. Either way the doubt that a colliding identity had opened in the review list is settled.
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
from liaison.fhir.store import identity as tokens
from liaison.fhir.store.contract import Key, Tree
from liaison.fhir.vault import Vault

DISTINCT: Final = "distinct"
DOUBT: Final = "duplicate"
PAIR: Final = f"{vocabulary.LOCAL}/sid/pair"
"""The identifier of the two lines of the review list that are of one decision."""
_WORDS: Final = "Deux personnes différentes"
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
    named = [f"Patient/{tree['id']}" for tree in people]
    kept = await _kept(store, caller, sorted({named[place] for pair in found for place in pair[:2]}))
    mine = [(named[one], named[other], alike) for one, other, alike in found if {named[one], named[other]} <= kept]
    apart = await told_apart(store, caller, sorted(kept), base_url)
    return [Proposed(one, other, alike, number_of(store.vault, one, other) in apart) for one, other, alike in mine]


async def tell_apart(store: Store, caller: Caller, one: Key, other: Key, base_url: str) -> None:
    """They are two people. Raises BadRequest for one record, NotFound for one that is not seen, Forbidden like `merge`,
    Conflict where one of them is merged already or this was said before."""
    if one == other:
        raise BadRequest("A record is not told apart from itself.", "Parameters.parameter")
    seen = []
    for key in (one, other):
        opened = await store.read(caller, key)
        if opened is None or opened.row.deleted:
            raise NotFound
        if any(link.get("type") == "replaced-by" for link in read(opened.stored).get("link") or ()):
            raise Conflict("One of these records was merged already.")
        seen.append(opened)
    await may_write_identity(store, caller, seen)
    references = [store.reference(key) for key in (one, other)]
    number = number_of(store.vault, *references)
    if number in await told_apart(store, caller, references, base_url):
        raise Conflict("These two records were told apart already.")
    by, now = team_writing.staff_reference(store, caller), await store.database.now()
    writes = []
    for reference in references:
        numbered = {"system": PAIR, "value": number}
        line = team_writing.review(reference, DISTINCT, _WORDS, by, now, identifier=[numbered])
        writes.append(Write("create", "Task", checked({**line, "status": "completed"}, "Task")))
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        writes += await settling(store, cell, references, DISTINCT, _WORDS, by, base_url)
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


def number_of(vault: Vault, one: str, other: str) -> str:
    """Of a pair, in either order. Nobody finds one record by the other's."""
    return tokens.criteria_token(vault, DISTINCT, " ".join(sorted((one, other)))).hex()


async def _kept(store: Store, caller: Caller, references: Sequence[str]) -> set[str]:
    """Those of them whose identity the caller keeps."""
    keys = [store.key("Patient", one.removeprefix("Patient/")) for one in references]
    opened = [await store.read(caller, key) for key in keys if key]
    return {store.reference(key) for key in await kept_by(store, caller, [one for one in opened if one])}


async def told_apart(store: Store, caller: Caller, references: Sequence[str], base_url: str) -> set[str]:
    """The numbers of the pairs with these records of which it was said that they are two people."""
    apart: set[str] = set()
    if not references:
        return apart
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        for start in range(0, len(references), _AT_ONCE):
            some = ",".join(references[start : start + _AT_ONCE])
            asked = {"code": f"{vocabulary.REVIEW}|{DISTINCT}", "patient": some, "_count": "1000"}
            for tree in await found_by(store, cell, f"Task?{urlencode(asked)}", base_url):
                apart |= {str(one.get("value")) for one in tree.get("identifier") or () if one.get("system") == PAIR}
    finally:
        await internal.close_session(store.database.writing, cell)
    return apart
