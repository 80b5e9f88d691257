"""Emergency access (rule 11; CSP L.1111-17 I): the person cannot express their will and is in immediate danger.

Starts from the person's INS or traits, the caller's role and a written reason; opens for four hours, in a session of
purpose ETREAT; refused after a prior objection. Someone unknown, an identity that does not match and an objection give
one neutral answer. Patient and attending doctor are told, and the access stands in the review list with its reason.

Sessions of one access have its task as their family: `end_access` ends them all, on every worker, at the next request.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from liaison.auth.access import internal, team_writing, urgent_sessions, vocabulary
from liaison.auth.access.asking_limits import Account
from liaison.auth.access.finding import Finder, Known, asking, one_person
from liaison.auth.access.join import attending, found
from liaison.auth.access.oppositions import opposed_to
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.oauth2 import rfc9470
from liaison.fhir.errors import BadRequest, Forbidden, NotFound
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

LASTS: Final = timedelta(hours=4)
KIND: Final = (vocabulary.REVIEW, "emergency-access")
_SHORTEST_REASON: Final = 10


class Opened(NamedTuple):
    """The patient, the task of the review list, the session in which the record may be read, and when it ends."""

    patient: str
    task: str
    session: int
    until: datetime


async def open_access(
    store: Store, caller: Caller, patient: Tree, reason: str, base_url: str, *, scope: str, at: datetime | None = None
) -> Opened:
    """Raises Forbidden for a role without it, BadRequest without a reason, ProofTooOld for a sign-in that is not of now,
    NotFound in every other case of refusal.

    `scope` bounds the new session as the caller's own is bounded. `at` is for a territory of demonstration only.
    """
    role = ROLES.get(caller.role_code)
    if role is None or not role.emergency or not caller.role or caller.only_patient:
        raise Forbidden("Emergency access is not offered to your role.")
    if len(reason.strip()) < _SHORTEST_REASON:
        raise BadRequest("Write why this access is needed, in a sentence.", "Parameters.parameter.where(name='reason')")
    # A token that is renewed for weeks, or was taken, opens no record of somebody unknown to its owner.
    await rfc9470.check(store.database.writing, caller.session, "This opens a record without the person's consent")
    async with asking(store, caller, Account.URGENT) as finder:
        known = await one_person(finder, patient)
        allowed = known is not None and not await opposed_to(store, caller, known.key.patient, emergency=True)
        await finder.note(allowed)
        if known is None or not allowed:
            raise NotFound
        start = at or await store.database.now()
        # First: where there can be no session, nothing is written.
        session = await urgent_sessions.begin(store, caller, scope, LASTS)
        try:
            task = await _record(finder, known, reason.strip(), start, base_url)
        except BaseException:
            await urgent_sessions.abandon(store, session)
            raise
    await urgent_sessions.belongs_to(store, session, task)
    return Opened(store.reference(known.key), store.reference(task), session, start + LASTS)


async def continue_access(store: Store, caller: Caller, task: Key, *, scope: str) -> Opened:
    """Another session of an open access, until the same end, bounded by the `scope` of the caller who asks.

    Raises NotFound for anyone but the person who opened it, in the same role, once it has ended, and once the person has
    objected to it.
    """
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
        if await opposed_to(store, caller, task.patient, emergency=True):
            raise NotFound
    finally:
        await internal.close_session(store.database.writing, cell)
    until = datetime.fromisoformat(tree["restriction"]["period"]["end"])  # as written here, to the second
    left = until - await store.database.now()
    if left < timedelta(seconds=1):
        raise NotFound
    session = await urgent_sessions.begin(store, caller, scope, left, task.res)
    subject = str((tree.get("for") or {}).get("reference", ""))
    return Opened(subject, store.reference(task), session, until)


async def _record(finder: Finder, known: Known, reason: str, start: datetime, base_url: str) -> Key:
    store, by = finder.store, team_writing.staff_reference(finder.store, finder.caller)
    subject, until = store.reference(known.key), start + LASTS
    period = {"start": start.isoformat(timespec="seconds"), "end": until.isoformat(timespec="seconds")}
    more: dict[str, Any] = {"restriction": {"period": period}, "reasonCode": {"text": reason}}
    teams = await found(finder, f"CareTeam?patient={subject}&status=active", base_url)
    text = "Un professionnel a ouvert un accès d'urgence au dossier, pour quatre heures."
    trees = [
        team_writing.review(subject, "emergency-access", "Accès d'urgence", by, start, **more),
        team_writing.notice(subject, text, by, attending(teams), start),
    ]
    writes = [Write("create", tree["resourceType"], checked(tree, tree["resourceType"])) for tree in trees]
    await commit(store, finder.cell, writes, base_url)
    assert writes[0].key is not None
    return writes[0].key


async def end_access(store: Store, caller: Caller, task: Key, base_url: str) -> None:
    """« Terminer l'accès »: before its time, by the person who opened it; its sessions end with it, at once.

    Raises NotFound for anyone else's.
    """
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
        now, period = await store.database.now(), tree["restriction"]["period"]
        if datetime.fromisoformat(period["end"]) > now:  # what is over already is not made longer
            period = {**period, "end": now.isoformat(timespec="seconds")}
            tree = {**tree, "restriction": {**tree["restriction"], "period": period}}
            await commit(store, cell, [Write("update", "Task", checked(tree, "Task"), id_=store.id(task))], base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    await urgent_sessions.end_all(store, task)
