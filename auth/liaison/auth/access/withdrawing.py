"""`Consent/[id]/$withdraw`: the person goes back on an opposition, and a professional records it.

An opposition to all sharing closes the record to everyone who could write that it has ended: whoever does so opens it to
themselves again. So this is a way in, like `$join`: by a health or social professional whom the opposition does not name,
who says how the person said it; the attending doctor is told, and it stands in the review list.
"""

from datetime import datetime
from typing import Final

from liaison.auth.access import internal, oppositions, standing, structures, team_writing, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import Reading, facts_of
from liaison.auth.access.join import attending
from liaison.auth.access.oppositions import MEANS
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import confirms
from liaison.auth.access.standing import Owners
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, Conflict, Forbidden, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.search import search
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree
from liaison.fhir.store.ids import Ids

_STANDING: Final = frozenset({"active", "proposed"})


async def withdraw(
    store: Store, caller: Caller, consent: Key, means: str, base_url: str, signed: Tree | None = None
) -> None:
    """Raises NotFound for what the caller does not see or is no opposition, Forbidden for a role that does not confirm or
    whom it names, BadRequest without means, Conflict once it is over."""
    seen = await store.read(caller, consent)
    if seen is None or seen.row.deleted:
        raise NotFound
    tree, now = read(seen.body), await store.database.now()
    named = _opposed(store, tree, consent)
    if not named:
        raise NotFound
    if not confirms(caller.role_code) or not caller.practitioner:
        raise Forbidden("A health or social professional records that the person withdraws an opposition.")
    if means not in MEANS:
        raise BadRequest(f"Say how the person said it: {', '.join(MEANS)}.", "Parameters.parameter.where(name='means')")
    if tree["status"] not in _STANDING:
        raise Conflict("This opposition is over.")
    await _check(store, caller, consent, named)
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        ended = _ended(tree, means, now)
        if signed:
            ended["sourceAttachment"] = oppositions.checked_scan(signed, now)
        unchanged = {"if-match": f'W/"{tree["meta"]["versionId"]}"'}
        first = Write("update", "Consent", checked(ended, "Consent"), id_=tree["id"], headers=unchanged)
        await commit(store, cell, [first, *await _told(store, cell, caller, tree, now, base_url)], base_url)
    finally:
        await internal.close_session(store.database.writing, cell)


def _opposed(store: Store, tree: Tree, consent: Key) -> set[int]:
    """The principals whom it opposes, 0 for everyone; empty for what is no opposition to sharing."""
    stands = {**tree, "status": "active"}
    facts = facts_of("Consent", Reading(stands, consent, Ids(store.vault.id_key).decode, Class.CONSENT))
    return {fact.principal for fact in facts if fact.relation is Relation.DENY}


async def _check(store: Store, caller: Caller, consent: Key, named: set[int]) -> None:
    async with store.database.reading.acquire() as connection:
        who = await standing.standing(connection, Ids(store.vault.id_key), caller.session, [consent.patient])
        key = (await store.vault.patient_keys(connection, {consent.patient})).get(consent.patient)
        theirs = await structures.everything_of(connection, who)
    if key is None or not who.may_write(consent.patient, Owners()) & key.permute(int(Class.CONSENT)):
        raise Forbidden("Your role does not record what this person wishes.")
    if named & theirs:
        raise Forbidden("An opposition is not withdrawn by the person or the service that it opposes.")


def _ended(tree: Tree, means: str, now: datetime) -> Tree:
    said = now.isoformat(timespec="seconds")
    by_whom = {"verified": True, "verifiedWith": {"reference": tree["patient"]["reference"]}, "verificationDate": said}
    rule = tree.get("policyRule") or {}
    codings = [*rule.get("coding", []), {"system": vocabulary.CONSENT, "code": f"withdrawn-{means}"}]
    return {
        **tree,
        "status": "inactive",
        "dateTime": said,
        "policyRule": {**rule, "coding": codings},
        "verification": [*tree.get("verification", []), by_whom],
    }


async def _told(store: Store, cell: Caller, caller: Caller, tree: Tree, now: datetime, base_url: str) -> list[Write]:
    subject, by = tree["patient"]["reference"], team_writing.staff_reference(store, caller)
    found = await search(store, cell, "CareTeam", f"patient={subject}&status=active&_count=50", base_url=base_url)
    teams = [entry["resource"] for entry in read(found.body).get("entry") or ()]
    text = "Un professionnel a noté que la personne revient sur son opposition : le dossier est rouvert."
    trees = [
        team_writing.review(subject, "withdrawal", "Opposition retirée", by, now),
        team_writing.notice(subject, text, by, attending(teams), now),
    ]
    return [Write("create", one["resourceType"], checked(one, one["resourceType"])) for one in trees]
