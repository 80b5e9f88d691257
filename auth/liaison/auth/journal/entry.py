"""What the journal holds, and the entries that a request and its answer owe to it.

One entry per patient with a resource in the response, plus one for a query (search, history, operation) with its
counts and a digest of everything returned; a read of one resource is one entry. A patient whom the question singles out
and of whom nothing was shown has an entry without items, if the caller has some right on them: that there is nothing, or
how many there are, was told of them. A count over many makes the query entry alone. A refusal records the type and id that were asked for: the patient behind them is found later.
What decided an answer without standing in it (the List of a `_list`) is an item beside what does: it was read, and the
answer tells of it, be it a count, a refusal or the match of a conditional write. Counts and digest leave it out.
Source: IHE BALP 1.1 (one AuditEvent per patient), CSP R.1111-43 (date, time, identity of every action).
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from enum import IntEnum
from hashlib import sha256
from time import monotonic
from typing import Any, Final, NamedTuple

from liaison.auth.caller import Caller
from liaison.fhir.errors import FhirError
from liaison.fhir.interactions.routing import Route, route
from liaison.fhir.search.singled import Held
from liaison.fhir.store.contract import Answer, Change, Disclosure, Grant, Key, Request, Singled


class Event(IntEnum):
    """What happened. Numbers are stored: never reused, never renumbered."""

    READ = 1
    VREAD = 2
    HISTORY = 3
    SEARCH = 4
    OPERATION = 5
    BUNDLE = 6
    CREATE = 11
    UPDATE = 12
    DELETE = 13
    SIGN_IN = 20
    SIGN_OUT = 21
    TOKEN = 22
    REFUSED_CALLS = 23  # failed anonymous calls of one address in one minute
    RIGHTS = 30
    EMERGENCY = 31
    EXPORT = 40
    IMPORT = 41
    JOB = 42  # a background job with an internal principal
    JOURNAL_READ = 50
    KEYS = 60
    CONFIGURATION = 61
    BACKUP = 62
    RESTORE = 63  # declares the break after a restore
    HOLD = 64  # a legal hold placed or lifted
    DESTRUCTION = 65  # a record whose time is over
    CHAIN_START = 90
    CHAIN_END = 91
    LINK = 92  # binds entries that were written inside transactions into the worker's chain


def event_name(number: int) -> str:
    """In words: “sign in”. The number itself for one that this version does not know."""
    return Event(number).name.lower().replace("_", " ") if number in set(Event) else str(number)


OUTCOME_OK: Final = 0
OUTCOME_REFUSED: Final = 4  # http://hl7.org/fhir/audit-event-outcome: minor failure, the caller's doing
OUTCOME_FAILED: Final = 8  # serious failure, the service's doing

Item = tuple[int, ...]
"""kind, res, version, then (rule, relation) pairs of the grants that allowed it."""


class Entry(NamedTuple):
    """One line of the journal. `patient`, `person` and `organization` are stored in clear; the rest is sealed."""

    event: int
    outcome: int = OUTCOME_OK
    patient: int = 0
    person: int = 0  # res of the Practitioner, Patient or RelatedPerson; the client when nobody is behind it
    organization: int = 0
    status: int = 200
    session: int = 0
    purpose: int = 0
    role_code: str = ""
    role: int = 0
    account: int = 0
    client: int = 0
    items: tuple[Item, ...] = ()
    method: str = ""
    path: str = ""
    query: str = ""
    total: int | None = None
    returned: int | None = None
    digest: str = ""  # SHA-256 over every (patient, kind, res, version) returned, in order
    request: str = ""
    address: str = ""
    reason: str = ""
    requested: tuple[str, str] = ("", "")
    detail: Mapping[str, Any] | None = None
    # Added later: absent from older entries, so always last.
    acts_for: int = 0  # res of the Practitioner replaced, supervising, or answering for a secretary
    proven: str = ""  # who vouched for the person, and how far (Caller.proven)
    took: int | None = None  # milliseconds from the request to its entry


ASKED: ContextVar[Request | None] = ContextVar("liaison.journal.asked", default=None)
"""The request under way, set by the engine, so that entries written by a store hook carry its id."""

BEGUN: ContextVar[float | None] = ContextVar("liaison.journal.begun", default=None)
"""When the request under way came, by a clock that only goes on."""

_LINE: Final = struct.Struct(">qhqq")
_EVENTS: Final[Mapping[str, Event]] = {
    "read": Event.READ,
    "vread": Event.VREAD,
    "history": Event.HISTORY,
    "history-type": Event.HISTORY,
    "history-system": Event.HISTORY,
    "search": Event.SEARCH,
    "create": Event.CREATE,
    "update": Event.UPDATE,
    "conditional-update": Event.UPDATE,
    "patch": Event.UPDATE,
    "conditional-patch": Event.UPDATE,
    "delete": Event.DELETE,
    "conditional-delete": Event.DELETE,
    "operation": Event.OPERATION,
    "bundle": Event.BUNDLE,
}
_WRITTEN: Final = {"create": Event.CREATE, "update": Event.UPDATE, "delete": Event.DELETE}


def _of(
    caller: Caller,
    event: int,
    patient: int,
    request: Request | None,
    *,
    outcome: int = OUTCOME_OK,
    status: int = 200,
    items: tuple[Item, ...] = (),
    query: str = "",
    total: int | None = None,
    returned: int | None = None,
    digest: str = "",
    reason: str = "",
    requested: tuple[str, str] = ("", ""),
    detail: Mapping[str, Any] | None = None,
) -> Entry:
    asked = request or _NOTHING
    return Entry(
        event,
        outcome,
        patient,
        caller.practitioner or caller.client,
        caller.organization,
        status,
        caller.session,
        caller.purpose,
        caller.role_code,
        caller.role,
        caller.account,
        caller.client,
        items,
        asked.method,
        asked.path,
        query,
        total,
        returned,
        digest,
        asked.request_id,
        asked.address,
        reason,
        requested,
        detail,
        caller.acts_for,
        caller.proven,
        _took(),
    )


def _took() -> int | None:
    begun = BEGUN.get()
    return None if begun is None else int((monotonic() - begun) * 1000)


_NOTHING: Final = Request("", "")
_NOBODY: Final[Held] = {}
_NOT_RELABELLED: Final[Mapping[Key, tuple[int, int]]] = {}


def entry(caller: Caller, event: Event, *, patient: int = 0, request: Request | None = None, **more: Any) -> Entry:
    """One entry for an act that is no FHIR interaction: sign-in, rights change, export chunk, key operation.

    `more` are fields of Entry: outcome, status, reason, detail, items, requested.
    """
    return _of(caller, event, patient, request or ASKED.get(), **more)


def _pairs(grants: Sequence[Grant]) -> tuple[int, ...]:
    """(rule, relation) of each grant, one after the other, each pair once."""
    if len(grants) == 1:
        return (grants[0].rule, grants[0].relation)
    pairs = sorted({(grant.rule, grant.relation) for grant in grants})
    return tuple([number for pair in pairs for number in pair])


def digest(disclosed: Sequence[Disclosure]) -> str:
    """SHA-256 over every (patient, kind, res, version), in the order of the response; '' for none."""
    if not disclosed:
        return ""
    return sha256(b"".join([_LINE.pack(*one.key, one.version) for one in disclosed])).hexdigest()


def _by_patient(disclosed: Sequence[Disclosure], about: Iterable[int] = ()) -> dict[int, list[Item]]:
    """The items of each patient; none for one whom the question was about."""
    found: dict[int, list[Item]] = {}
    known: dict[int, tuple[int, ...]] = {}  # rows of one record mostly share their grants
    for (patient, kind, res), version, grants in disclosed:
        pairs = known.get(id(grants))
        if pairs is None:
            pairs = known[id(grants)] = _pairs(grants)
        found.setdefault(patient, []).append((kind, res, version, *pairs))
    for patient in about:
        found.setdefault(patient, [])
    return found


def _refusal(
    caller: Caller,
    request: Request,
    where: Route | None,
    status: int,
    issue: str,
    consulted: Sequence[Disclosure],
    about: Iterable[int],
) -> Iterator[Entry]:
    event = _EVENTS.get(where.name, Event.OPERATION) if where else Event.OPERATION
    found = _by_patient(consulted, about)
    yield _of(
        caller,
        event,
        0,
        request,
        outcome=OUTCOME_FAILED if status >= 500 else OUTCOME_REFUSED,
        status=status,
        query=request.query,
        requested=(where.type_, where.id_) if where else ("", ""),
        detail={"issue": issue} if issue else None,
        items=tuple(found.pop(0, ())),
    )
    for patient, items in found.items():  # was read, whatever became of the request
        yield _of(caller, Event.SEARCH, patient, request, items=tuple(items))


def _where(request: Request) -> Route | None:
    try:
        return route(request.method, request.path)
    except FhirError:
        return None  # The path names no interaction; the refusal is recorded with the path itself.


def _about(singled: Iterable[Singled], held: Held) -> tuple[int, ...]:
    return tuple(sorted({patient for one in singled for patient in held.get(one, ())}))


def entries_for(
    caller: Caller, request: Request, answer: Answer | FhirError, held: Held = _NOBODY
) -> tuple[Entry, ...]:
    """What must be durable before the first byte of this answer leaves; () when it is owed nothing more.

    A successful write is owed nothing here: its entries are in its own transaction. `disclosed` of a write holds only
    what the answer shows beyond the resource written. The parts of a bundle count as if each had come alone. `held` are
    the patients singled out on whom the caller has some right: nobody else is named.
    """
    where, about = _where(request), _about(answer.singled, held)
    if isinstance(answer, FhirError):
        issue = answer.issues[0].code
        return tuple(_refusal(caller, request, where, answer.status, issue, answer.consulted, about))
    if answer.status >= 400:
        return tuple(_refusal(caller, request, where, answer.status, "", answer.consulted, about))
    name = where.name if where else "operation"
    if name == "capabilities":
        return ()
    if name == "bundle":
        return tuple(one for part, result in answer.parts for one in entries_for(caller, part, result, held))
    event = Event.JOURNAL_READ if where and where.type_ == "AuditEvent" else _EVENTS[name]
    if name in ("read", "vread"):
        return (_read(caller, event, request, where, answer),)
    if event in _WRITTEN.values():
        if answer.disclosed:
            # An existing resource shown instead of a new one (If-None-Exist), or more than a patch had sent.
            event = Event.READ
        elif answer.total == 0 or answer.consulted or about:
            event = Event.SEARCH  # A conditional delete that found nothing: it asked all the same.
        else:
            return ()
    return tuple(_query(caller, event, request, where, answer, about))


def _read(caller: Caller, event: Event, request: Request, where: Route | None, answer: Answer) -> Entry:
    if not answer.disclosed:  # an answer of another reader, which shows no resource of the store
        requested = (where.type_, where.id_) if where else ("", "")
        return _of(caller, event, 0, request, status=answer.status, requested=requested)
    (patient, kind, res), version, grants = answer.disclosed[0]
    items = ((kind, res, version, *_pairs(grants)),)
    return _of(caller, event, patient, request, status=answer.status, items=items)


def _query(
    caller: Caller, event: Event, request: Request, where: Route | None, answer: Answer, about: Iterable[int]
) -> Iterator[Entry]:
    found = _by_patient((*answer.consulted, *answer.disclosed), about)
    directory = tuple(found.pop(0, ()))
    yield _of(
        caller,
        event,
        0,
        request,
        status=answer.status,
        query=answer.asked or request.query,
        total=answer.total,
        returned=len(answer.disclosed),
        digest=digest(answer.disclosed),
        items=directory,
        requested=(where.type_, where.id_) if where else ("", ""),
    )
    for patient, items in found.items():
        yield _of(caller, event, patient, request, status=answer.status, items=tuple(items))


def entries_for_changes(
    caller: Caller,
    changes: Sequence[Change],
    request: Request | None = None,
    *,
    relabelled: Mapping[Key, tuple[int, int]] = _NOT_RELABELLED,
) -> tuple[Entry, ...]:
    """The entries of a write, for Journal.record_within: one per patient and kind of act (create, update, delete).

    The grants that allowed a change are those of its previous version, when there is one. `relabelled` has the classes
    before and after of what an update opened or closed: they stand in the detail of its entry, item by item.
    """
    asked = request or ASKED.get()
    grouped: dict[tuple[int, Event], list[Item]] = {}
    for change in changes:
        grants = change.before_row.grants if change.before_row else ()
        item = (change.key.kind, change.key.res, change.version, *_pairs(grants))
        grouped.setdefault((change.key.patient, _WRITTEN[change.interaction]), []).append(item)
    found = []
    for (patient, event), items in grouped.items():
        classes = [
            [*item[:3], *relabelled[key]] for item in items if (key := Key(patient, item[0], item[1])) in relabelled
        ]
        detail = {"classes": classes} if classes else None
        found.append(_of(caller, event, patient, asked, items=tuple(items), detail=detail))
    return tuple(found)
