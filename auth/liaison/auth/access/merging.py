"""Two records of one person: `Patient/$merge` says so, `Patient/[id]/$unmerge` takes it back (design §8).

Merging moves nothing. The record that goes is inactive and names the one that stays (`replaced-by`), its identifiers are
old; the one that stays names it (`replaces`). Everything else stays where it is, under the rights it was under: the two
teams are not united, so whoever sees one record alone goes on seeing that one alone. What the person has opposed or objected
to in either holds in both from then on, and goes on when it is taken back: it was the person who said it. From then on the person is found by
identity in the record that stays. Both are in the review list, where an open doubt about either is settled. Whoever merges sees both records and keeps both identities.
"""

from typing import Final

from liaison.auth.access import identity, internal, team_writing
from liaison.auth.access.carrying import carried, denials_of
from liaison.auth.access.duplicates import settling
from liaison.auth.access.identifying import may_write_identity
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, Conflict, NotFound, Unprocessable
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Opened, Tree

REPLACED: Final = "replaced-by"
REPLACES: Final = "replaces"


async def merge(store: Store, caller: Caller, source: Key, target: Key, base_url: str) -> None:
    """`source` goes, `target` stays. Raises NotFound for one that the caller does not see, Forbidden for whoever does not
    keep both identities, Unprocessable for two people, Conflict for what is merged already."""
    if source == target:
        raise BadRequest("A record is not merged with itself.", "Parameters.parameter")
    going, staying = await _seen(store, caller, source), await _seen(store, caller, target)
    await may_write_identity(store, caller, [going, staying])
    goes, stays = read(going.body), read(staying.body)
    if identity.is_merged(goes) or identity.is_merged(stays):
        raise Conflict("One of these records was merged already.")
    numbers, kept = identity.matricules(goes), identity.matricules(stays)
    if numbers and kept and not set(numbers) & set(kept):
        raise Unprocessable("Two different INS are two people.", "Patient.identifier")
    if numbers and not kept:
        raise Unprocessable("The record that has the INS is the one that stays.", "Parameters.parameter")
    goes = {**goes, "active": False, "link": [*_links(goes, store, target), _link(store, target, REPLACED)]}
    if goes.get("identifier"):
        goes["identifier"] = [{**one, "use": "old"} for one in goes["identifier"]]
    stays = {**stays, "link": [*_links(stays, store, source), _link(store, source, REPLACES)]}
    changed = [(goes, going), (stays, staying)]
    await _commit(store, caller, changed, "merge", "Dossiers fusionnés", base_url, both=(source, target))


async def unmerge(store: Store, caller: Caller, source: Key, base_url: str) -> None:
    """Takes back what `merge` did: the identifiers are those of the version before it. Raises like merge; Conflict for a
    record that is not merged, or for all that the caller may know: with one that they do not see."""
    going = await _seen(store, caller, source)
    goes = read(going.body)
    named = next((link for link in goes.get("link") or () if link.get("type") == REPLACED), None)
    if named is None:
        raise Conflict("This record is not merged.")
    target = store.key("Patient", str((named.get("other") or {}).get("reference", "")).removeprefix("Patient/"))
    if target is None:
        raise NotFound
    staying = await _seen(store, caller, target)
    await may_write_identity(store, caller, [going, staying])
    before = await _before(store, caller, source, going)
    goes = {name: value for name, value in goes.items() if name not in ("active", "link", "identifier")}
    for name in ("active", "identifier"):
        if name in before:
            goes[name] = before[name]
    stays = read(staying.body)
    for tree, kept in ((goes, _links(read(going.body), store, target)), (stays, _links(stays, store, source))):
        tree.pop("link", None)
        if kept:
            tree["link"] = kept
    await _commit(store, caller, [(goes, going), (stays, staying)], "unmerge", "Fusion annulée", base_url)


async def _seen(store: Store, caller: Caller, key: Key) -> Opened:
    opened = await store.read(caller, key)
    if opened is None or opened.row.deleted:
        raise NotFound
    return opened


async def _before(store: Store, caller: Caller, source: Key, merged: Opened) -> Tree:
    """The latest version of the record in which it was not merged."""
    for version in range(merged.row.version - 1, 0, -1):
        opened = await store.version(caller, source, version)
        if opened is None or opened.row.deleted:
            break
        if not identity.is_merged(tree := read(opened.stored)):
            return tree
    raise Conflict("No version of this record from before it was merged can be seen.")


def _link(store: Store, other: Key, type_: str) -> Tree:
    return {"other": {"reference": store.reference(other)}, "type": type_}


def _links(tree: Tree, store: Store, besides: Key) -> list[Tree]:
    """Its links but those to that record."""
    reference = store.reference(besides)
    return [one for one in tree.get("link") or () if (one.get("other") or {}).get("reference") != reference]


async def _commit(
    store: Store,
    caller: Caller,
    changed: list[tuple[Tree, Opened]],
    kind: str,
    display: str,
    base_url: str,
    *,
    both: tuple[Key, Key] | None = None,
) -> None:
    """Both records and a line of the review list for each, in one transaction; with `both`, what each has of oppositions."""
    by, now = team_writing.staff_reference(store, caller), await store.database.now()
    writes = []
    for tree, opened in changed:
        unchanged = {"if-match": f'W/"{opened.row.version}"'}
        writes.append(Write("update", "Patient", checked(tree, "Patient"), id_=tree["id"], headers=unchanged))
        line = team_writing.review(f"Patient/{tree['id']}", kind, display, by, now)
        writes.append(Write("create", "Task", checked(line, "Task")))
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        if both is not None:
            denials = [await denials_of(store, cell, one, base_url) for one in both]
            for one, mine, others in zip(both, denials, reversed(denials), strict=True):
                writes += [Write("create", "Consent", tree) for tree in carried(store, one, mine, others)]
            writes += await settling(store, cell, [store.reference(one) for one in both], kind, display, by, base_url)
        await commit(store, cell, writes, base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
