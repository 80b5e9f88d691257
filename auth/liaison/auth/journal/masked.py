"""What a question says of who somebody is, left out where the journal is read: names, birth dates, addresses, identifiers.

An officer sees a number until they say why they read more (rule 24). A query that found one person, with the name that was
typed, would tell whose number it is. The entry keeps the whole question, sealed; `AuditReader.question` opens it.

Of a Patient, Person or RelatedPerson, directly or at the end of a chain, only what is listed here is shown; of anything else,
what its search parameters are. A word that is no parameter may be anything, so it is left out whole. Not looked at: the value
of what is shown (`code=`, `_id=`), and the parameters of an operation on anything but a person.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote_plus

from liaison.auth.journal.entry import Entry, Event
from liaison.fhir.definitions import RESOURCE_TYPES, search_parameters

MASK: Final = "***"
_PERSONS: Final = frozenset({"Patient", "Person", "RelatedPerson"})
_SHOWN: Final = frozenset(
    {"active", "deceased", "gender", "language", "relationship", "start", "end"}
    | {"general-practitioner", "organization", "practitioner", "patient", "relatedperson", "link"}
)
_CONTROL: Final = frozenset(
    {"_id", "_lastUpdated", "_profile", "_security", "_source", "_tag", "_list", "_type", "_since", "_at", "_cursor"}
    | {"_count", "_sort", "_summary", "_elements", "_include", "_revinclude", "_total", "_format", "_pretty"}
)


def request_of(entry: Entry, *, whole: bool = False) -> str:
    """The request of a question, '' for what is none; `whole`: with what it says of who somebody is. Questions to the journal
    by its pages have the numbers of records alone."""
    if entry.returned is None and not entry.query:
        return ""
    ours = whole or entry.event in (Event.JOURNAL_READ, Event.EXPORT)
    query = entry.query if ours else masked(entry.path, entry.query)
    return f"{entry.method} {entry.path}{'?' if query else ''}{query}"


def masked(path: str, query: str) -> str:
    """The query of a request to this path, each pair that may tell who somebody is without its value."""
    on = _types_of(path)
    return "&".join(_pair(pair, on, operation="$" in path) for pair in query.split("&"))


def _types_of(path: str) -> frozenset[str]:
    """What is asked for: the last type that a path names; anyone where it names none."""
    named = [part for part in path.split("/") if part in RESOURCE_TYPES]
    return frozenset(named[-1:]) or _PERSONS


def _pair(pair: str, on: frozenset[str], *, operation: bool) -> str:
    written, equals, value = pair.partition("=")
    name = unquote_plus(written)
    if not name and not value:
        return pair
    try:
        tells = _tells(name, on, operation=operation)
    except KeyError:
        return MASK
    return f"{written}{equals}{MASK}" if tells else pair


def _tells(name: str, on: frozenset[str], *, operation: bool) -> bool:
    """Whether the value of this parameter may say who somebody is. Raises KeyError for what is no parameter."""
    code, dot, rest = name.partition(".")
    code, _, modifier = code.partition(":")
    if code == "_has":
        type_, _, asked = name.removeprefix("_has:").partition(":")
        _, colon, last = asked.partition(":")
        if type_ not in RESOURCE_TYPES or not colon:
            raise KeyError(name)
        return _tells(last, frozenset({type_}), operation=False)
    if code in _CONTROL:
        return False
    if code in ("_filter", "_text", "_content", "_query"):
        return True
    if dot:
        towards = frozenset({modifier}) if modifier in RESOURCE_TYPES else _targets(code, on)
        return _tells(rest, towards, operation=False)
    if modifier == "identifier" and _targets(code, on) & _PERSONS:
        return True
    if on & _PERSONS:
        if code not in _SHOWN and not _known(code, on):
            raise KeyError(name)
        return code not in _SHOWN
    if not operation and not _known(code, on):
        raise KeyError(name)
    return False


def _targets(code: str, on: Iterable[str]) -> frozenset[str]:
    """The types that a reference parameter leads to."""
    found = (search_parameters(type_).get(code) for type_ in on)
    return frozenset(target for one in found if one is not None for target in one.target)


def _known(code: str, on: Iterable[str]) -> bool:
    return any(code in search_parameters(type_) for type_ in on)
