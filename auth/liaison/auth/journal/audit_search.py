"""The query of a search on AuditEvent: strict, like every search. Anything not known is refused by name.

Decided in SQL: patient, entity (a Patient), agent (a Practitioner), date and period-start (TDE), action, outcome.
Decided on the decrypted entry, before a resource is made of it: type, subtype, policy, purpose, agent-role, entity of another type,
and which record a refusal was about: it holds the type and id that were asked for, and no patient. Decided on the resource: agent,
altid and agent-name (software, by its registration), the adopted table of rules, entity-name (the code of an act), entity of the
directory (whom an act concerned).
The ANS's guide to traces (TDE 2.0.0, flux 4) and IHE ITI-81 want each search bounded in time: `bounded` does it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import date as Date
from typing import Any, Final, NamedTuple

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.table import label_of
from liaison.auth.journal import expiry
from liaison.auth.journal.audit_event import RULE, SHAPES
from liaison.auth.journal.entry import Entry
from liaison.auth.journal.names import CLIENT_ID
from liaison.auth.journal.told import at_console
from liaison.fhir.definitions import DIRECTORY_TYPES, RESOURCE_TYPES
from liaison.fhir.errors import BadRequest
from liaison.fhir.search import date, parse
from liaison.fhir.search.folding import folded
from liaison.fhir.store.contract import Key, Tree

COUNT: Final = 50
MOST: Final = 200
PARAMETERS: Final = (
    "action",
    "agent",
    "agent-name",
    "agent-role",
    "altid",
    "date",
    "entity",
    "entity-name",
    "outcome",
    "patient",
    "period-start",
    "policy",
    "purpose",
    "subtype",
    "type",
)
ALIASES: Final = {"TDE_AuditEvent_period-start": "period-start"}
"""The same parameter, by the name that TDE 2.0.0's CapabilityStatements give it."""
_MODIFIERS: Final = (
    ("entity", "Patient"),
    ("agent", "Practitioner"),
    ("agent", "identifier"),
    ("agent-name", "exact"),
    ("agent-name", "contains"),
)
CONTROLS: Final = ("_count", "_cursor", "_id", "_sort", "_summary")

Decode = Callable[[str, str], Key | None]


class Where(NamedTuple):
    """One condition: SQL over `e` with {} for each value."""

    sql: str
    values: tuple[Any, ...]


class Position(NamedTuple):
    """After which entry a page goes on."""

    at: datetime
    worker: int
    sequence: int


@dataclass(slots=True)
class Query:
    """`where` narrows in SQL, `early` on the entry; `tests` decide on the resource. `apart` narrows what is no refusal, where refusals
    are looked through besides. `ascending` is _sort=date; `counted` asks for the total alone;
    `software` are the client_ids asked for, which are yet to be known; `until` what bounds it that was not asked; `since` where what is asked begins, None for no bound; `unread`: the day from which on
    entries can be read, where what is asked begins before it."""

    where: list[Where] = field(default_factory=list)
    apart: list[Where] = field(default_factory=list)
    early: list[Callable[[Entry], bool]] = field(default_factory=list)
    tests: list[Callable[[Tree], bool]] = field(default_factory=list)
    count: int = COUNT
    cursor: str = ""
    ascending: bool = False
    counted: bool = False
    software: set[str] = field(default_factory=set)
    pairs: tuple[tuple[str, str], ...] = ()
    until: tuple[tuple[str, str], ...] = ()
    since: datetime | None = None
    unread: Date | None = None


_NOTHING: Final = Where("false", ())


def read(query: str, decode: Decode, base_url: str, now: datetime, *, refusals: bool = True) -> Query:
    """Raises BadRequest for what is not known or not understood.

    `now` by the database's clock. `refusals` False asks for no refusal by the record or resource it was about: for a reader who would see none.
    """
    found = Query()
    kept = []
    for asked, value in parse.pairs(query):
        name, _, modifier = asked.partition(":")
        name = ALIASES.get(name, name)
        if name in parse.OF_THE_EDGE:
            kept.append((asked, value))
            continue
        if name not in PARAMETERS and name not in CONTROLS:
            known = ", ".join(sorted((*PARAMETERS, *CONTROLS)))
            raise BadRequest(f"'{name[:40]}' is not a search parameter of AuditEvent here; these are: {known}.")
        if modifier and (name, modifier) not in _MODIFIERS:
            raise BadRequest(f"The modifier ':{modifier[:20]}' is not served on '{name}'.")
        if modifier in RESOURCE_TYPES and "/" not in value:
            value = f"{modifier}/{value}"
        if name != "_cursor":
            kept.append((asked, value))
        if name in CONTROLS:
            _control(found, name, value)
        else:
            _criterion(found, name, modifier, value, _Ids(decode, base_url, refusals, now))
    found.pairs = tuple(kept)
    return found


_SKEW: Final = timedelta(seconds=1)
"""Processes tell the database's time to some milliseconds: an entry just written by another one is not missed."""


def bounded(asked: Query, now: datetime) -> Query:
    """The same, ending now unless it says its time itself: `until`, so that what the answer says it was asked asks for the
    same again."""
    if not any(ALIASES.get(name, name).partition(":")[0] in ("date", "period-start") for name, _ in asked.pairs):
        value = f"le{(now + _SKEW).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        asked.where.append(_date(value, now))
        asked.until = (("date", value),)
    return asked


def _control(found: Query, name: str, value: str) -> None:
    match name:
        case "_count":
            if not (value.isascii() and value.isdecimal()):
                raise BadRequest("_count is a number.")
            found.count = min(int(value[:10]), MOST)
            found.counted = found.counted or found.count == 0  # R4 search.html#count
        case "_summary":
            if value != "count":
                raise BadRequest("Of the journal, '_summary' is 'count'.")
            found.counted = True
        case "_cursor":
            found.cursor = value
        case "_sort":
            if value not in ("date", "-date"):
                raise BadRequest("AuditEvent is sorted by 'date' or '-date'.")
            found.ascending = value == "date"
        case _:
            ids = set(value.split(","))
            found.tests.append(lambda tree: tree["id"] in ids)


class _Ids(NamedTuple):
    """What a reference is understood with, and whether refusals are looked through for it."""

    decode: Decode
    base_url: str
    refusals: bool
    now: datetime


def _criterion(found: Query, name: str, modifier: str, value: str, ids: _Ids) -> None:
    values = [one for one in value.split(",") if one]
    if not values:
        raise BadRequest(f"'{name}' has no value.")
    match name:
        case "date" | "period-start":
            found.where.append(_any(_date(one, ids.now) for one in values))
            begins = [_begins(one) for one in values]
            if None not in begins:
                found.since = max(min(filter(None, begins)), found.since or datetime.min.replace(tzinfo=UTC))
        case "action":
            found.where.append(Where("e.event = any({}::smallint[])", (_events(values),)))
        case "outcome":
            codes = [one.rpartition("|")[2] for one in values]
            if not all(code in ("0", "4", "8", "12") for code in codes):
                raise BadRequest("'outcome' is 0, 4, 8 or 12.")
            found.where.append(Where("e.outcome = any({}::smallint[])", ([int(code) for code in codes],)))
        case "patient":
            _entity(found, [_reference(one, ids.base_url, "Patient") for one in values], ids)
        case "agent" if modifier == "identifier" or not any("/" in one for one in values):
            _software(found, values)
        case "agent" if not all("/" in one for one in values):
            raise BadRequest("Ask for people (Practitioner/id) and for software (its client_id) in an 'agent' each.")
        case "agent":
            found.where.append(_any(_agent(_reference(one, ids.base_url, ""), ids.decode) for one in values))
            found.early.append(lambda entry: not at_console(entry))
        case "altid":
            _software(found, values)
        case "agent-name":
            found.tests.append(_named_so(values, modifier))
        case "entity":
            _entity(found, [_reference(one, ids.base_url, "") for one in values], ids)
        case "entity-name":
            wanted = tuple(folded(one) for one in values)
            found.tests.append(
                lambda tree: any(folded(one.get("name", "")).startswith(wanted) for one in tree.get("entity", ()))
            )
        case "policy" if all(one.startswith(f"{RULE}/") for one in values):
            rules = {one.removeprefix(f"{RULE}/") for one in values}
            found.early.append(
                lambda entry: any(label_of(rule) in rules for item in entry.items for rule in item[3::2])
            )
        case "policy":
            found.tests.append(
                lambda tree: any(one in values for agent in tree["agent"] for one in agent.get("policy", ()))
            )
        case _:
            found.early.append(_token(_CODED[name], values))


def _any(conditions: Any) -> Where:
    given = list(conditions)
    return Where(f"({' or '.join(one.sql for one in given)})", tuple(value for one in given for value in one.values))


def _date(value: str, now: datetime) -> Where:
    asked = date.span(value)
    # What `limits` says of a moment, which is no range, in one comparison: an index begins and ends there.
    if asked.prefix == "ge":
        return Where("e.at >= {}::timestamptz", (asked.low,))
    if asked.prefix == "le":
        return Where("e.at <= {}::timestamptz", (asked.high,))
    limits = date.limits(asked, now)
    sql = " and ".join(f"e.at {bound.operator} {{}}::timestamptz" for bound in limits.bounds)
    wanted = f"not ({sql})" if limits.inverted else f"({sql})"
    return Where(wanted, tuple(bound.moment for bound in limits.bounds))


def _begins(value: str) -> datetime | None:
    """The first moment that this asks for; None where it goes back without a bound."""
    asked = date.span(value)
    return None if asked.prefix in ("lt", "le", "eb", "ne") else asked.low


async def unread(connection: asyncpg.Connection, asked: Query) -> Date | None:
    """From which day on entries can be read, where months that were asked for have lost their key."""
    readable = await expiry.readable_since(connection)
    if readable is None or (
        asked.since and asked.since >= datetime(readable.year, readable.month, readable.day, tzinfo=UTC)
    ):
        return None
    return readable


def unread_said(readable: Date) -> Tree:
    """As a searchset says what it could not show (R4 http.html#search: an OperationOutcome of mode `outcome`)."""
    words = (
        f"Entries before {readable:%Y-%m-%d} can no longer be read: the time that they are kept for is over and their keys are"
        " destroyed. The journal holds the proofs of them. That none is found does not mean that there were none."
    )
    issue = {"severity": "warning", "code": "incomplete", "diagnostics": words}
    return {"resource": {"resourceType": "OperationOutcome", "issue": [issue]}, "search": {"mode": "outcome"}}


def _events(letters: list[str]) -> list[int]:
    wanted = {letter.rpartition("|")[2] for letter in letters}
    if not wanted <= set("CRUDE"):
        raise BadRequest("'action' is C, R, U, D or E.")
    return [event for event, shape in SHAPES.items() if shape.action in wanted]


def _reference(value: str, base_url: str, only: str) -> tuple[str, str]:
    """(type, id) of a relative or own absolute reference."""
    type_, _, id_ = value.removeprefix(f"{base_url}/").rpartition("/")
    type_ = type_ or only
    if type_ not in RESOURCE_TYPES or (only and type_ != only) or not id_:
        raise BadRequest(f"'{value[:80]}' is not a reference such as {only or 'Patient'}/id.")
    return type_, id_


def _agent(reference: tuple[str, str], decode: Decode) -> Where:
    key = decode(*reference)
    return Where("e.person = {}", (key.res,)) if key else _NOTHING


def _software(found: Query, values: list[str]) -> None:
    """The client is in the sealed part of an entry, beside whoever acts through it."""
    wanted = set()
    for value in values:
        system, _, client_id = value.rpartition("|")
        if system not in ("", CLIENT_ID) or not client_id:
            raise BadRequest(f"The identifier of an agent is a client_id, of the system {CLIENT_ID}.")
        wanted.add(client_id)
    found.software |= wanted
    found.tests.append(lambda tree: any(agent.get("altId") in wanted for agent in tree["agent"]))


def _named_so(values: list[str], modifier: str) -> Callable[[Tree], bool]:
    """By the name of a software: those of people are in no entry. R4 search.html#string: how it begins, whatever the case
    and the accents."""
    wanted = values if modifier == "exact" else [folded(one) for one in values]

    def matches(tree: Tree) -> bool:
        for name in (agent["name"] for agent in tree["agent"] if "name" in agent):
            told = name if modifier == "exact" else folded(name)
            for one in wanted:
                if (
                    told == one
                    if modifier == "exact"
                    else one in told
                    if modifier == "contains"
                    else told.startswith(one)
                ):
                    return True
        return False

    return matches


REFUSAL: Final = "e.patient = 0 and e.outcome <> 0"
"""As the index journal_entry_by_refusal says it."""


def _entity(found: Query, references: list[tuple[str, str]], ids: _Ids) -> None:
    """A Patient stands for every entry on that record, refusals included; any other resource for those that name it.
    BadRequest for an AuditEvent: no index has these, and nothing found would be believed."""
    if any(type_ == "AuditEvent" for type_, _ in references):
        raise BadRequest("'entity' does not find who read an AuditEvent: ask for subtype=journal-read.")
    keys = [ids.decode(*reference) for reference in references]
    pairs = list(zip(references, keys, strict=True))
    apart = ids.refusals and all(key is not None and key.patient for key in keys)
    # Not by "or": each has its own index in the order of pages, and the two together have none.
    (found.apart if apart else found.where).append(_any(_holder(*pair, ids.refusals and not apart) for pair in pairs))
    named = {f"{type_}/{id_}" for type_, id_ in references}
    known = {key for key in keys if key is not None}
    records = {key.patient for (type_, _), key in pairs if type_ == "Patient" and key is not None and key.patient}
    by_record = all(type_ == "Patient" for type_, _ in references)

    def asked_for(entry: Entry) -> bool:
        if any(Key(entry.patient, *item[:2]) in known for item in entry.items):
            return True
        type_, id_ = entry.requested if entry.outcome else ("", "")
        if type_ and id_ and f"{type_}/{id_}" in named:
            return True
        if entry.patient:  # SQL has found it by its record
            return by_record or entry.patient in records
        key = ids.decode(type_, id_) if records and id_ and type_ in RESOURCE_TYPES else None
        return key is not None and key.patient in records

    if all(type_ in DIRECTORY_TYPES for type_, _ in references):
        found.tests.append(lambda tree: any(_what(one) in named for one in tree.get("entity", ())))
    elif ids.refusals or not by_record:
        found.early.append(asked_for)


def _what(entity: Tree) -> str:
    """The resource that an entity is about, whatever its version."""
    reference: str = entity.get("what", {}).get("reference", "")
    return reference.partition("/_history/")[0]


def _holder(reference: tuple[str, str], key: Key | None, refusals: bool) -> Where:
    if reference[0] in DIRECTORY_TYPES:
        return Where("e.patient = {}", (0,))
    if key is None or not key.patient:
        return _NOTHING
    # The partial index by patient is of those that are not 0.
    sql = "e.patient <> 0 and e.patient = {}"
    return Where(f"({sql} or {REFUSAL})" if refusals else sql, (key.patient,))


_CODED: Final[Mapping[str, Callable[[Entry], tuple[str, str]]]] = {
    "type": lambda entry: SHAPES[entry.event].type_[:2],
    "subtype": lambda entry: SHAPES[entry.event].subtype[:2],
    "agent-role": lambda entry: (vocabulary.ROLE, entry.role_code),
    "purpose": lambda entry: (vocabulary.ACT_REASON, Purpose(entry.purpose).code if entry.purpose else ""),
}


def _token(coded: Callable[[Entry], tuple[str, str]], values: list[str]) -> Callable[[Entry], bool]:
    wanted = [one.rpartition("|") for one in values]

    def matches(entry: Entry) -> bool:
        system, code = coded(entry)
        return bool(code) and any(code == asked and (not bar or system == where) for where, bar, asked in wanted)

    return matches
