"""Who will read a note of the shared notebook: said beside the form, before anything is written.

A relative does not see the team, nor the aide the relatives. Who they are is read by the principal of identities, for
someone who has a right on the record; a relative is told functions, not names, of professionals.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from liaison.auth.access import adopted, internal, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.roles import role_codes
from liaison.auth.caller import Caller
from liaison.services.pages.clinician.teams import members_of, teams_of
from liaison.services.pages.marking import _
from liaison.services.pages.reading.classes import read_in_the_team
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, human_name

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Readers:
    """`said`: one line each. `service`: the structure that a note is addressed to, so that its aides read it; {} for none."""

    said: list[str]
    service: Tree


@asynccontextmanager
async def identities(request: Request, caller: Caller) -> AsyncIterator[Record]:
    """The record as the principal of identities sees it, for this caller: the journal shows both."""
    house = request.app.state.house
    cell = await internal.open_session(house.database.writing, "identity", timedelta(minutes=1), caller=caller)
    try:
        yield Record(house.engine, cell, address_of(request))
    finally:
        await internal.close_session(house.database.writing, cell)


async def readers(
    cell: Record, mine: Record, patient: str, gettext: Callable[[str], str], *, by_function: bool
) -> Readers:
    """`cell` reads teams and consents, `mine` the directory."""
    said, service = [gettext(_("La personne elle-même"))], Tree()
    table = await adopted.in_force(mine.engine.store.database)
    teams = await teams_of(cell, patient)
    for name, reference in dict.fromkeys(one for team in teams for one in members_of(team, cell.now())):
        if reference.startswith("Organization/"):
            service = service or {"reference": reference, "display": name}
            words = gettext(_("L'aide qui vient à domicile, et son service : {name}")).format(name=name)
        else:
            tree = await mine.read(reference) if reference.startswith("PractitionerRole/") else None
            role = next(iter(role_codes(tree)), "") if tree else ""
            # A member named as a person, in whatever role: health professionals read the notebook.
            reads = not reference.startswith("RelatedPerson/") and (
                not role or bool(read_in_the_team(table, role) & Class.PROCHES)
            )
            words = (
                (role_name(role, gettext) or gettext(_("Un professionnel de l'équipe")) if by_function else name)
                if reads
                else ""
            )
        if words and words not in said:
            said.append(words)
    said += [one async for one in _relatives(cell, patient, gettext)]
    return Readers(said, service)


async def _relatives(cell: Record, patient: str, gettext: Callable[[str], str]) -> AsyncIterator[str]:
    for tree in await cell.search("Consent", {"patient": patient, "status": "active", "_count": "100"}):
        if not opens(tree):
            continue
        for actor in tree["provision"].get("actor", []):
            reference = str((actor.get("reference") or {}).get("reference", ""))
            person = await cell.read(reference) if reference.startswith("RelatedPerson/") else None
            if person is not None:
                yield called(person) or gettext(_("Un proche désigné"))


def opens(consent: Tree) -> bool:
    """Whether a Consent in force is a permission to share."""
    shares = "sharing" in codes(consent.get("category"), vocabulary.CONSENT)
    return shares and (consent.get("provision") or {}).get("type") == "permit"


def called(person: Tree) -> str:
    """A relative by name and by what they are to the person."""
    links = [label(one) for one in person.get("relationship", []) if label(one)]
    name = human_name(person)
    return f"{name} ({links[-1].lower()})" if name and links else name
