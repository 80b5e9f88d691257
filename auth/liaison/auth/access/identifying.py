"""`Patient/[id]/$identify`: what was checked of an identity since its record was opened (RNIV; domain notes §1.4).

A paper seen makes it validated, the INSi teleservice called makes it retrieved, both make it qualified, and only then does
the record carry the matricule. What the paper or the teleservice says is given as a Patient, and must be what the record
says, trait by trait: whoever finds a difference corrects the record first, which is provisional from then on. When the matricule has another record, this one
becomes validated without it and a duplicate is proposed; the answer says so, and counts as a failed question.
"""

from collections.abc import Sequence
from typing import Final

from liaison.auth.access import identity, standing, team_writing
from liaison.auth.access.classes import Class
from liaison.auth.access.finding import asking
from liaison.auth.access.register import STATUSES
from liaison.auth.access.roles import ROLES
from liaison.auth.access.standing import Owners
from liaison.auth.access.stated_identity import require_qualified, require_typed, require_undoubted
from liaison.auth.access.traits import BIRTHPLACE, Traits, traits_of
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, Forbidden, NotFound, Unprocessable
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Opened, Tree
from liaison.fhir.store.ids import Ids

_CALLED: Final = frozenset({"RECUP", "QUAL"})
"""Statuses for which the teleservice was called, and gave traits."""
_WORDS: Final = Traits("birth name", "first given name", "birth date", "sex", "birthplace")


async def identify(store: Store, caller: Caller, patient: Key, status: str, seen: Tree | None, base_url: str) -> bool:
    """False when the matricule has another record. Raises NotFound, Forbidden, BadRequest, TooManyRequests, and
    Unprocessable for what is not what the record says. `seen`: the Patient that the paper or the teleservice shows."""
    opened = await store.read(caller, patient)
    if opened is None or opened.row.deleted:
        raise NotFound
    await may_write_identity(store, caller, [opened])
    if status not in STATUSES:
        raise BadRequest(f"The status of an identity is one of {', '.join(STATUSES)}.", "Parameters.parameter")
    tree = read(opened.stored)
    if identity.is_merged(tree):
        raise Unprocessable("This record was merged into another, which has the identity now.")
    if status in _CALLED and seen is None:
        raise BadRequest(
            "Give the Patient that the INSi teleservice shows.", "Parameters.parameter.where(name='patient')"
        )
    if seen is not None:
        require_typed(seen)
        _require_alike(traits_of(seen), traits_of(tree))
    if status != "VALI":  # a paper that was seen settles a doubt; the teleservice is not called for a doubtful identity
        require_undoubted(tree, status)
    stated = _with_matricule(tree, seen) if status == "QUAL" else tree
    if status == "QUAL":
        require_qualified(stated)
    async with asking(store, caller) as finder:
        try:
            # A paper that was seen settles a doubt; the teleservice does not, and of QUAL there is none left.
            write = _update(identity.with_status(stated, status, settled=status == "VALI"), opened.row.version)
            await commit(store, finder.cell, [write], base_url)
        except identity.AlreadyKnown:
            await finder.note(False)
            by, now = team_writing.staff_reference(store, caller), await store.database.now()
            doubt = team_writing.review(store.reference(patient), "duplicate", "Doublon possible", by, now)
            validated = _update(identity.with_status(tree, "VALI", settled=True), opened.row.version)
            await commit(store, finder.cell, [validated, Write("create", "Task", checked(doubt, "Task"))], base_url)
            return False
        await finder.note(True)
        return True


def require_keeper(caller: Caller) -> None:
    """Raises Forbidden unless the role receives people."""
    if caller.role_code not in ROLES or not ROLES[caller.role_code].registers:
        raise Forbidden("Your role does not keep identities.")


async def may_write_identity(store: Store, caller: Caller, seen: Sequence[Opened]) -> None:
    """Raises Forbidden unless the role receives people and may write the identity of each of these, whom it sees."""
    require_keeper(caller)
    if {one.row.key for one in seen} - await kept_by(store, caller, seen):
        raise Forbidden("Your role does not keep the identity of this person.")


async def kept_by(store: Store, caller: Caller, seen: Sequence[Opened]) -> frozenset[Key]:
    """Those of them whose identity the caller's rights let write: by their team, or because they entered it (row 28)."""
    patients = [one.row.key.patient for one in seen]
    async with store.database.reading.acquire() as connection:
        who = await standing.standing(connection, Ids(store.vault.id_key), caller.session, patients)
        keys = await store.vault.patient_keys(connection, set(patients))
    kept = set()
    for row in (one.row for one in seen):
        key, owners = keys.get(row.key.patient), Owners(row.author, row.service, row.addressee)
        if key is not None and who.may_write(row.key.patient, owners) & key.permute(int(Class.ADM)):
            kept.add(row.key)
    return frozenset(kept)


def _require_alike(seen: Traits, recorded: Traits) -> None:
    other = [
        words
        for words, mine, theirs in zip(_WORDS, recorded, seen, strict=True)
        if theirs and mine != theirs and not (words == "birthplace" and not mine)
    ]
    if other:
        raise Unprocessable(
            f"The record says otherwise: {', '.join(other)}. Correct it first, or this is someone else.",
            "Parameters.parameter.where(name='patient').resource",
        )


def _with_matricule(tree: Tree, seen: Tree | None) -> Tree:
    """With the matricule, and the birthplace where the record lacks it, of what the teleservice shows."""
    shown = seen or {}
    numbers = set(identity.matricules(shown))
    taken = [one for one in shown.get("identifier") or () if (one.get("system"), one.get("value")) in numbers]
    known = [one for one in tree.get("identifier") or () if (one.get("system"), one.get("value")) not in numbers]
    made = {**tree, "identifier": [*known, *taken]} if taken else tree
    if traits_of(tree).birthplace or not traits_of(shown).birthplace:
        return made
    place = [one for one in shown.get("extension") or () if one.get("url") == BIRTHPLACE]
    return {**made, "extension": [*(made.get("extension") or ()), *place]}


def _update(tree: Tree, version: int) -> Write:
    return Write("update", "Patient", checked(tree, "Patient"), id_=tree["id"], headers={"if-match": f'W/"{version}"'})
