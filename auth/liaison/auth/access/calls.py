"""A call about a person to the telephone platform (rules 12 and 13; CSP R.6315-3: regulated calls can be traced).

Starts from what is said of the person's identity, never from an id. Until it is ended, and for an hour at most, whoever
received it sees what their row of the table gives: a call handler the identity, the team and the open alerts, under the
responsibility of a named regulating doctor; that doctor, in a call of their own or one taken over, as in an emergency, in a session of
purpose ETREAT. Someone unknown, an identity that fits several people and an opposition give one neutral answer.

The call stands in the record as a Task that nobody else writes. When it ends, the attending doctor is told what it was
about and what was decided; the team reads it with them.
"""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from liaison.auth.access import internal, team_writing, urgent_sessions, vocabulary
from liaison.auth.access.asking_limits import Account
from liaison.auth.access.finding import asking, require_traits
from liaison.auth.access.join import attending, found_by
from liaison.auth.access.one_person import opposed_in_any, record_of, records_of
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, Conflict, Forbidden, NotFound, PreconditionFailed
from liaison.fhir.interactions.commit import commit
from liaison.fhir.interactions.content import checked
from liaison.fhir.interactions.writes import Write
from liaison.fhir.model import read
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key, Tree

LASTS: Final = timedelta(hours=1)
KIND: Final = (vocabulary.PLATFORM, "call")
MOST_LETTERS: Final = 2_000
_SHORTEST_REASON: Final = 3
DOCTOR: Final = "regulating-doctor"


class Opened(NamedTuple):
    """The patient, the task of the call, when it ends by itself, and a regulating doctor's session; 0 for others."""

    patient: str
    task: str
    until: datetime
    session: int


async def open_call(
    store: Store, caller: Caller, patient: Tree, reason: str, regulator: str, base_url: str, *, scope: str
) -> Opened:
    """Raises Forbidden for a role that does not answer the platform, BadRequest without a reason or a regulating doctor
    in office, NotFound in every other case of refusal. `scope` bounds a doctor's session as their own is bounded."""
    role = ROLES.get(caller.role_code)
    if role is None or not role.calls or not caller.role or caller.only_patient:
        raise Forbidden("Your role does not receive calls of the platform.")
    if not _SHORTEST_REASON <= len(reason.strip()) <= MOST_LETTERS:
        raise BadRequest("Write what the call is about.", "Parameters.parameter.where(name='reason')")
    require_traits(patient, all_of_them=False)
    doctor = caller.role_code == DOCTOR
    by = team_writing.staff_reference(store, caller)
    owner = by if doctor else await _regulator(store, regulator)
    async with asking(store, caller, Account.URGENT, call=True) as finder:
        records = await records_of(finder, patient, base_url)
        known = records[0] if len(records) == 1 else None  # who calls is asked for the matricule, and can answer
        allowed = known is not None and not await opposed_in_any(
            store, caller, finder.cell, [known], base_url, emergency=doctor
        )
        await finder.note(allowed)
        if known is None or not allowed:
            raise NotFound
        session = await urgent_sessions.begin(store, caller, scope, LASTS) if doctor else 0
        start = await store.database.now()
        try:
            call = StatedCall(store.reference(known.key), reason.strip(), owner, start, start + LASTS)
            task = await record_call(store, caller, finder.cell, call, base_url)
        except BaseException:
            if session:
                await urgent_sessions.abandon(store, session)
            raise
    if session:
        await urgent_sessions.belongs_to(store, session, task)
    return Opened(store.reference(known.key), store.reference(task), start + LASTS, session)


async def continue_call(store: Store, caller: Caller, task: Key, base_url: str, *, scope: str) -> Opened:
    """Another session of a regulating doctor's open call, until the same end. Raises NotFound for anyone else's, and once
    the person objects to emergency access."""
    if caller.role_code != DOCTOR:
        raise NotFound
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
        known = await record_of(store, cell, str(tree["for"]["reference"]))
        if await opposed_in_any(store, caller, cell, [known], base_url, emergency=True):
            raise NotFound
    finally:
        await internal.close_session(store.database.writing, cell)
    until = datetime.fromisoformat(tree["restriction"]["period"]["end"])
    left = until - await store.database.now()
    if tree["status"] != "in-progress" or left < timedelta(seconds=1):
        raise NotFound
    session = await urgent_sessions.begin(store, caller, scope, left, task.res)
    return Opened(str(tree["for"]["reference"]), store.reference(task), until, session)


async def end_call(store: Store, caller: Caller, task: Key, note: str, base_url: str) -> str:
    """« Terminer l'appel »: what it opened is closed at once. The patient's reference. Raises NotFound for anyone else's.

    `note` is what was decided. A call that has ended stays as it ended."""
    if len(note) > MOST_LETTERS:
        raise BadRequest(f"A note has at most {MOST_LETTERS} letters.", "Parameters.parameter.where(name='note')")
    cell = await internal.open_session(store.database.writing, "identity", caller=caller)
    try:
        tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
        if tree["status"] == "in-progress":
            try:
                await commit(store, cell, await _ending(store, cell, tree, note, base_url), base_url)
            except PreconditionFailed:
                # Ended at the same moment, by a second click or the doctor who took it: it stays as it ended.
                tree = await urgent_sessions.task_of(store, cell, caller, task, *KIND)
                if tree["status"] == "in-progress":
                    raise Conflict("The call is being changed by others at this moment. Try again.") from None
    finally:
        await internal.close_session(store.database.writing, cell)
    await urgent_sessions.end_all(store, task)
    return str(tree["for"]["reference"])


async def _ending(store: Store, cell: Caller, tree: Tree, note: str, base_url: str) -> list[Write]:
    now, subject = await store.database.now(), str(tree["for"]["reference"])
    teams = await found_by(store, cell, f"CareTeam?patient={subject}&status=active", base_url)
    words = [f"Appel à la plateforme : {tree['reasonCode']['text']}", note.strip()]
    summary = team_writing.notice(subject, "\n".join(filter(None, words)), "", attending(teams), now)
    summary |= {
        "category": [tree["code"]],
        "sender": tree["requester"],
        "about": [{"reference": f"Task/{tree['id']}"}],
    }
    end = min(now, datetime.fromisoformat(tree["restriction"]["period"]["end"])).isoformat(timespec="seconds")
    ended = {
        **tree,
        "status": "completed",
        "executionPeriod": {**tree["executionPeriod"], "end": end},
        "restriction": {"period": {**tree["restriction"]["period"], "end": end}},
        "lastModified": now.isoformat(timespec="seconds"),
    }
    unchanged = {"if-match": f'W/"{tree["meta"]["versionId"]}"'}
    return [
        Write("update", "Task", checked(ended, "Task"), id_=tree["id"], headers=unchanged),
        Write("create", "Communication", checked(summary, "Communication")),
    ]


_IN_OFFICE: Final = """
    select exists (select from held_role where role = $1 and role_code = $2 and active
        and valid_from <= now() and valid_to > now())
"""


async def _regulator(store: Store, reference: str) -> str:
    """The reference itself, of the PractitionerRole of a regulating doctor in office."""
    type_, _, id_ = reference.partition("/")
    key = store.key(type_, id_) if type_ == "PractitionerRole" else None
    if key is None or key.kind != kind_of("PractitionerRole"):
        key = None
    if key is None or not await store.database.reading.fetchval(_IN_OFFICE, key.res, DOCTOR):
        raise BadRequest(
            "regulator is the PractitionerRole of a regulating doctor in office, under whose responsibility you act.",
            "Parameters.parameter.where(name='regulator')",
        )
    return reference


async def _named(store: Store, caller: Caller, reference: str) -> Tree:
    """The reference with the name that the directory gives to the person in this role."""
    type_, _, id_ = reference.partition("/")
    key = store.key(type_, id_)
    opened = await store.read(caller, key) if key else None
    name = (read(opened.body).get("practitioner") or {}).get("display") if opened and not opened.row.deleted else None
    return {"reference": reference, **({"display": name} if isinstance(name, str) else {})}


class StatedCall(NamedTuple):
    """What the task of a call says. `part_of`: the handler's call that a doctor takes."""

    subject: str
    reason: str
    owner: str
    start: datetime
    until: datetime
    part_of: str = ""


async def record_call(store: Store, caller: Caller, cell: Caller, stated: StatedCall, base_url: str) -> Key:
    """The task of the call, and for a doctor's what the team learns of it, in one commit."""
    by, subject = team_writing.staff_reference(store, caller), stated.subject
    begun, until = stated.start.isoformat(timespec="seconds"), stated.until.isoformat(timespec="seconds")
    call: dict[str, Any] = {
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "code": {"coding": [{"system": KIND[0], "code": KIND[1], "display": "Appel à la plateforme"}]},
        "description": "Appel à la plateforme",
        "for": {"reference": subject},
        "executionPeriod": {"start": begun},
        "authoredOn": begun,
        "requester": await _named(store, cell, by),
        "owner": await _named(store, cell, stated.owner),
        "reasonCode": {"text": stated.reason},
        "restriction": {"period": {"start": begun, "end": until}},
    }
    if stated.part_of:
        call["partOf"] = [{"reference": stated.part_of}]
    trees = [call]
    if stated.owner == by:  # The doctor reads what an emergency access reads: the team learns of it as of that.
        teams = await found_by(store, cell, f"CareTeam?patient={subject}&status=active", base_url)
        text = "Un médecin régulateur a reçu un appel au sujet de la personne et a ouvert son dossier, pour une heure."
        trees.append(team_writing.notice(subject, text, by, attending(teams), stated.start))
    writes = [Write("create", tree["resourceType"], checked(tree, tree["resourceType"])) for tree in trees]
    await commit(store, cell, writes, base_url)
    assert writes[0].key is not None
    return writes[0].key
