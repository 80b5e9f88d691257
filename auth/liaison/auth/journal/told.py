"""What an entry tells of an act: which, whom it concerned, on whose word, with what outcome.

All of that stands in the sealed part of an entry (`detail`) and, where it was done at the console, in its columns. What is listed
here leaves the journal, and nothing else. Who reads the traces of their own record is not told how officers work on it (their
reviews, cases and exports), nor how the service is run.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from liaison.auth.journal.acts import BY_REASON, OF_EVENT, SAID, Act
from liaison.auth.journal.entry import Entry, Event

OF_OFFICERS: Final = frozenset({Event.JOURNAL_READ, Event.EXPORT, Event.OPERATION, Event.JOB, Event.HOLD})
"""Acts that are told to officers alone: how they read, review and answer; that a record is held, which an inquiry may be."""

SHOWN: Final = frozenset(
    {"by", "ground", "document", "number", "version", "digest", "of", "rules", "signal", "months", "active"}
    | {"choice", "since", "from", "until", "hold", "case", "step", "outcome", "state", "question", "review", "line"}
    | {"factors", "again", "check", "ended", "scope", "changed", "made_at", "lost_since", "verify", "prove", "unmask"}
    | {"journal", "entries", "sha256", "cut", "count", "found", "records", "resources", "visits", "measure", "waits"}
    | {"parameter", "generation", "reclassified", "compromised", "withdrawn"}
)
"""What of `detail` is shown to officers. Left out: where a backup lies, the settings themselves, parameters of a trial."""
OF_THE_PERSON: Final = frozenset({"document", "factors", "again", "ended"})
"""The same for who reads the traces of their own record."""

_OF_A_RULE: Final = frozenset({Act.UNUSUAL_RULE, Act.UNUSUAL_TRIED})
"""Acts whose `rule` is one of unusual accesses: elsewhere it is the reason for which a record is kept."""

_REFERENCES: Final = ("designated", "taken off", "reader", "organization")


class Told(NamedTuple):
    """`act` is None for one that this version does not know, which `code` still names. Those concerned: numbers of accounts,
    client_ids, numbers of clients and telephones, references of the directory. `detail`: names and values, in their order."""

    code: str
    act: Act | None
    accounts: tuple[int, ...] = ()
    clients: tuple[str, ...] = ()
    registrations: tuple[int, ...] = ()
    phones: tuple[str, ...] = ()
    organization: int = 0
    references: tuple[str, ...] = ()
    detail: tuple[tuple[str, str], ...] = ()

    @property
    def said(self) -> str:
        return SAID[self.act] if self.act else self.code


def at_console(entry: Entry) -> bool:
    """Done by whoever typed at the console: nobody to the journal. Its columns say whom it concerned, and not who did it."""
    return entry.method == "console"


def actor(entry: Entry) -> Entry:
    """The entry as far as it says who acted."""
    return entry._replace(person=0, organization=0, account=0, client=0) if at_console(entry) else entry


def reason_of(entry: Entry, *, officer: bool = True) -> str:
    """Why, as it was said; not to the person why their record is held."""
    return entry.reason if officer or entry.event != Event.HOLD else ""


def told_of(entry: Entry, *, officer: bool = True) -> Told | None:
    """None for reading or writing of resources; and, unless an `officer` asks, for what officers do."""
    detail: Mapping[str, Any] = entry.detail or {}
    code, act = _act(entry, detail)
    if not code or (not officer and entry.event in OF_OFFICERS):
        return None
    shown = SHOWN if officer else OF_THE_PERSON
    if officer and act in _OF_A_RULE:
        shown |= {"rule"}
    console = at_console(entry)
    account = detail.get("account") or (entry.account if console else 0)
    return Told(
        code,
        act,
        accounts=(int(account),) if account else (),
        clients=(str(detail["client"]),) if detail.get("client") else (),
        registrations=(entry.client,) if console and entry.client else (),
        phones=(str(detail["phone"]),) if detail.get("phone") else (),
        organization=entry.organization if console else 0,
        references=tuple(str(detail[name]) for name in _REFERENCES if "/" in str(detail.get(name, ""))),
        detail=tuple((name, _written(value)) for name, value in detail.items() if name in shown and _says(value)),
    )


def _act(entry: Entry, detail: Mapping[str, Any]) -> tuple[str, Act | None]:
    """By what the entry names; by its reason, which is a code where a right is changed over FHIR; by its event."""
    named = str(detail.get("act", ""))
    if not named and entry.event == Event.RIGHTS:
        head = entry.reason.partition(":")[0]
        named = head if head in BY_REASON else entry.path if at_console(entry) else ""
    if not named and entry.event in OF_EVENT:
        act = OF_EVENT[entry.event]
        return act.code, act
    if named in _ACTS:
        return Act(named).code, Act(named)
    return named, None


_ACTS: Final = frozenset(Act)


def _says(value: Any) -> bool:
    return value is not None and value not in ("", [], {})


def _written(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)
