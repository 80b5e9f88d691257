"""Emergency access (rule 11; CSP L.1111-17 I): the person cannot express their will and is in immediate danger.

Starts from the person's INS or traits, the caller's role and a written reason; opens for four hours, in a session of
purpose ETREAT; refused after a prior objection. Someone unknown, an identity that does not match and an objection give
one neutral answer. Patient and attending doctor are told, and the access stands in the review list with its reason.

Several records that fit one person, and of which none contradicts another, are opened together (`one_person`), each with its
task; they end together. Sessions of one access have its task as their family: `end_access` ends them all, on every worker, at the next request.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import uuid4

from liaison.auth.access import internal, team_writing, urgent_sessions, vocabulary
from liaison.auth.access.asking_limits import Account
from liaison.auth.access.finding import Finder, Known, asking
from liaison.auth.access.join import attending, found, found_by
from liaison.auth.access.one_person import MOST, opposed_in_any, record_of, records_of
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
_ACCESS: Final = f"{vocabulary.LOCAL}/sid/emergency-access"
"""The number of an access that opened several records of one person."""


class Opened(NamedTuple):
    """The patient, the task of the review list, the session in which the record may be read, when it ends; and the other
    records of the same person, which the session reads as well."""

    patient: str
    task: str
    session: int
    until: datetime
    also: tuple[str, ...] = ()


class NotOpened(NotFound):
    """The one neutral refusal. `about` is whose record it would have been, '' for nobody's: for the journal alone."""

    def __init__(self, about: str) -> None:
        self.about = about
        super().__init__()


async def open_access(store: Store, caller: Caller, patient: Tree, reason: str, base_url: str, *, scope: str) -> Opened:
    """Raises Forbidden for a role without it, BadRequest without a reason, ProofTooOld for a sign-in that is not of now,
    NotOpened in every other case of refusal.

    `scope` bounds the new session as the caller's own is bounded.
    """
    role = ROLES.get(caller.role_code)
    if role is None or not role.emergency or not caller.role or caller.only_patient:
        raise Forbidden("Emergency access is not offered to your role.")
    if len(reason.strip()) < _SHORTEST_REASON:
        raise BadRequest("Write why this access is needed, in a sentence.", "Parameters.parameter.where(name='reason')")
    # A token that is renewed for weeks, or was taken, opens no record of somebody unknown to its owner.
    await rfc9470.check(store.database.writing, caller.session, "This opens a record without the person's consent")
    async with asking(store, caller, Account.URGENT) as finder:
        records = await records_of(finder, patient, base_url)
        allowed = bool(records) and not await opposed_in_any(
            store, caller, finder.cell, records, base_url, emergency=True
        )
        await finder.note(allowed)
        if not allowed:
            raise NotOpened(store.reference(records[0].key) if records else "")
        records = records[:MOST]
        start = await store.database.now()
        # First: where there can be no session, nothing is written.
        sessions = [await urgent_sessions.begin(store, caller, scope, LASTS) for _ in records]
        try:
            tasks = await _record(finder, records, reason.strip(), start, base_url)
        except BaseException:
            for session in sessions:
                await urgent_sessions.abandon(store, session)
            raise
    for session, task in zip(sessions, tasks, strict=True):  # each record has its own page, under its own task
        await urgent_sessions.belongs_to(store, session, task)
    patients = [store.reference(one.key) for one in records]
    return Opened(patients[0], store.reference(tasks[0]), sessions[0], start + LASTS, tuple(patients[1:]))


async def continue_access(store: Store, caller: Caller, task: Key, base_url: str, *, scope: str) -> Opened:
    """Another session of an open access, until the same end, bounded by the `scope` of the caller who asks.

    Raises NotFound for anyone but the person who opened it, in the same role, once it has ended, and once the person has
    objected to it.
    """
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
        others = await _opened_with(store, cell, tree, base_url)
        records = [await record_of(store, cell, _subject(one)) for one in (tree, *(other for _, other in others))]
        if await opposed_in_any(store, caller, cell, records, base_url, emergency=True):
            raise NotFound
    finally:
        await internal.close_session(store.database.writing, cell)
    until = datetime.fromisoformat(tree["restriction"]["period"]["end"])  # as written here, to the second
    left = until - await store.database.now()
    if left < timedelta(seconds=1):
        raise NotFound
    session = await urgent_sessions.begin(store, caller, scope, left, task.res)
    return Opened(_subject(tree), store.reference(task), session, until, tuple(_subject(other) for _, other in others))


async def _record(finder: Finder, records: Sequence[Known], reason: str, start: datetime, base_url: str) -> list[Key]:
    """The task of each record, all or none; those of one access have one number."""
    store, by = finder.store, team_writing.staff_reference(finder.store, finder.caller)
    until = start + LASTS
    period = {"start": start.isoformat(timespec="seconds"), "end": until.isoformat(timespec="seconds")}
    more: dict[str, Any] = {"restriction": {"period": period}, "reasonCode": {"text": reason}}
    if len(records) > 1:
        more["groupIdentifier"] = {"system": _ACCESS, "value": uuid4().hex}
    text = "Un professionnel a ouvert un accès d'urgence au dossier, pour quatre heures."
    trees = []
    for subject in [store.reference(one.key) for one in records]:
        teams = await found(finder, f"CareTeam?patient={subject}&status=active", base_url)
        trees.append(team_writing.review(subject, KIND[1], "Accès d'urgence", by, start, **more))
        trees.append(team_writing.notice(subject, text, by, attending(teams), start))
    writes = [Write("create", tree["resourceType"], checked(tree, tree["resourceType"])) for tree in trees]
    await commit(store, finder.cell, writes, base_url)
    return [write.key for write in writes[::2] if write.key is not None]


async def _opened_with(store: Store, cell: Caller, task: Tree, base_url: str) -> list[tuple[Key, Tree]]:
    """The tasks of the other records that the same access opened."""
    number = (task.get("groupIdentifier") or {}).get("value")
    if not number:
        return []
    trees = await found_by(store, cell, f"Task?group-identifier={_ACCESS}|{number}&_count={2 * MOST}", base_url)
    keys = [(store.key("Task", tree["id"]), tree) for tree in trees if tree["id"] != task["id"]]
    return [(key, tree) for key, tree in keys if key is not None]


def _subject(task: Tree) -> str:
    return str((task.get("for") or {}).get("reference", ""))


async def end_access(store: Store, caller: Caller, task: Key, base_url: str) -> None:
    """« Terminer l'accès »: before its time, by the person who opened it; its sessions end with it, at once, in each record
    that it opened.

    Raises NotFound for anyone else's.
    """
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
        now, opened = await store.database.now(), [(task, tree), *await _opened_with(store, cell, tree, base_url)]
        writes = []
        for key, one in opened:
            period = one["restriction"]["period"]
            if datetime.fromisoformat(period["end"]) > now:  # what is over already is not made longer
                period = {**period, "end": now.isoformat(timespec="seconds")}
                ended = {**one, "restriction": {**one["restriction"], "period": period}}
                writes.append(Write("update", "Task", checked(ended, "Task"), id_=store.id(key)))
        if writes:
            await commit(store, cell, writes, base_url)
    finally:
        await internal.close_session(store.database.writing, cell)
    for key, _ in opened:
        await urgent_sessions.end_all(store, key)
