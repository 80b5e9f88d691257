"""A line of the list « À revoir »: one access, whatever made it one to review. The person stays a number."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.contact import ways
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import human_name

Tree = dict[str, Any]
DAYS: Final = timedelta(days=8)
LONGER: Final = timedelta(days=15)
"""How long an emergency access, and any other line, may wait for its review."""
OUTCOMES: Final = {
    "justified": _("Justifié"),
    "to-clarify": _("À éclaircir"),
    "unjustified": _("Non justifié"),
    "reported": _("Signalé"),
}
REFUSALS: Final = {
    400: _("Choisissez un avis et dites pourquoi."),
    403: _("Il faut une autre personne : nul ne revoit son propre accès, ni ne confirme son propre avis."),
    409: _("Cet accès a déjà été revu."),
    412: _("Quelqu'un vient d'écrire au sujet de cet accès : voici ce qu'il en est."),
}


class Person(NamedTuple):
    """Someone of the directory, in a role; `person` and `organization` are references."""

    name: str = ""
    role: str = ""
    mailbox: str = ""
    person: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """A question or remark of a reviewer, or (`by_actor`) an answer to it. `by` is the reference of who wrote it."""

    text: str
    at: datetime | None
    by_actor: bool
    by: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One access to review. `record` is the beginning of the record's number: auditors see no names (row 24). `second`: a
    second reader is waited for. `where` is its page; `because` the sentences of the rules that fired, `entries` the lines of the journal that made them."""

    id: str
    where: str
    kind: str
    at: datetime | None
    until: datetime | None
    due: datetime | None
    who: Person
    reason: str
    patient: str
    outcome: str
    code: str
    settled: bool
    second: bool
    notes: list[Note]
    because: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    settled_at: datetime | None = None

    @property
    def record(self) -> str:
        return self.patient[:6]

    @property
    def answered(self) -> bool:
        return bool(self.notes) and self.notes[-1].by_actor


def due_by(kind: str, opened: datetime | None) -> datetime | None:
    """Until when it is to be reviewed."""
    return None if opened is None else opened + (DAYS if kind == "emergency-access" else LONGER)


async def people(record: Record, references: Iterable[str], gettext: Gettext) -> dict[str, Person]:
    """Those who acted, by the reference of their role, as the directory has them."""
    ids = sorted({one.partition("/")[2] for one in references if one.startswith("PractitionerRole/")})
    found: dict[str, Person] = {}
    for start in range(0, len(ids), 50):
        asked = {
            "_id": ",".join(ids[start : start + 50]),
            "_include": "PractitionerRole:practitioner",
            "_count": "100",
        }
        trees = await record.search("PractitionerRole", asked, most=200)
        persons = {f"Practitioner/{tree['id']}": tree for tree in trees if tree["resourceType"] == "Practitioner"}
        for tree in trees:
            if tree["resourceType"] == "PractitionerRole":
                found[f"PractitionerRole/{tree['id']}"] = _person(record, tree, persons, gettext)
    return found


def _person(record: Record, tree: Tree, persons: Mapping[str, Tree], gettext: Gettext) -> Person:
    reference = str((tree.get("practitioner") or {}).get("reference", ""))
    person = persons.get(reference, {})
    role = next((code for one in tree.get("code", []) for code in codes(one, vocabulary.ROLE)), "")
    mailbox = next(iter(ways(person, "email", record.now())), "")
    organization = str((tree.get("organization") or {}).get("reference", ""))
    return Person(human_name(person), role_name(role, gettext), mailbox, reference, organization)


async def names(record: Record, references: Iterable[str], type_: str = "Practitioner") -> dict[str, str]:
    """What the directory calls them."""
    ids = sorted({one.partition("/")[2] for one in references if one.startswith(f"{type_}/")})
    found = {}
    for start in range(0, len(ids), 50):
        for tree in await record.search(type_, {"_id": ",".join(ids[start : start + 50]), "_count": "50"}):
            named = human_name(tree) if type_ == "Practitioner" else str(tree.get("name", ""))
            found[f"{type_}/{tree['id']}"] = named
    return found


async def show_line(
    request: Request,
    record: Record,
    line: Line,
    version: str,
    form: Mapping[str, str],
    error: str = "",
    status: int = 200,
) -> Response:
    """The page of one access, with the form of its review."""
    return render(
        request,
        "audit/review.html",
        status=status,
        line=line,
        readers=await names(record, [note.by for note in line.notes]),
        version=version,
        outcomes=OUTCOMES,
        given=form,
        error=error,
    )
