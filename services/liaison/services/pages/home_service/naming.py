"""Whom the lines of a planning name: persons whom the service follows, aides who are at work, and what keeps one from the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from starlette.requests import Request

from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.protocols.forms import FORM, READY, wanted
from liaison.services.pages.home_service import stays
from liaison.services.pages.home_service.differences import Named
from liaison.services.pages.home_service.tour_file import Wanted, plain
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reception.people_file import Problem
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import reference, signed_in
from liaison.services.pages.team.listing import Listed, listed
from liaison.services.pages.team.tour import names_of, refused_by

Tree = dict[str, Any]
MOST_PEOPLE: Final = 2000
_REFUSED: Final = _("La personne ne veut pas que {given} ouvre son dossier : choisissez une autre aide.")


@dataclass(frozen=True, slots=True)
class Whom:
    """The lines that name one person and one aide, and what is wrong with the others; `strangers`: those of a person whom the service
    does not follow here."""

    named: list[Named]
    strangers: list[Wanted]
    problems: list[Problem]


def whom(record: Record, rows: Sequence[Wanted], people: Sequence[Tree], aides: Sequence[Listed]) -> Whom:
    found = Whom([], [], [])
    for row in rows:
        persons = [one for one in people if _is_called(identity(one), row)]
        takers = [
            one for one in aides if plain(row.aide) in (plain(one.name), plain(one.of.username), _turned(one.name))
        ]
        if not persons:
            found.strangers.append(row)
            continue
        if len(persons) > 1:
            words = _("Plusieurs personnes ont ce nom : ajoutez la date de naissance de « {given} ».")
            found.problems.append(Problem(row.line, row.column("personne"), words, row.person))
        if len(takers) != 1:
            words = _("Aucune aide en poste n'a ce nom : « {given} ».")
            several = _("Plusieurs aides ont ce nom : écrivez l'identifiant de « {given} ».")
            found.problems.append(Problem(row.line, row.column("aide"), several if takers else words, row.aide))
        if len(persons) == len(takers) == 1:
            found.named.append(Named(row, patient_reference(persons[0]), aide_reference(record, takers[0])))
    return found


def unknown(row: Wanted) -> Problem:
    """What is said of a line whose person the service does not follow: opposed, never received and misspelt look alike."""
    words = _("Personne de ce nom n'est suivi par le service : « {given} ».")
    return Problem(row.line, row.column("personne"), words, row.person)


async def people_of(record: Record) -> list[Tree]:
    found = await record.search("Patient", {"_count": "200"}, most=MOST_PEOPLE)
    return sorted(found, key=lambda one: identity(one).sorting)


async def aides_at_work(request: Request) -> list[Listed]:
    """Those who may take a visit."""
    caller, _me = await signed_in(request)
    return [
        one
        for one in await listed(request, caller)
        if one.on_phone and one.of.active and not one.of.over and not one.aside
    ]


async def forms_of(record: Record) -> dict[str, str]:
    """The code of the form that the home-help plan of each person names (CarePlan.activity.detail.instantiatesCanonical)."""
    query = {"category": "home-help", "status": "active", "_count": "200"}
    found: dict[str, str] = {}
    for plan in await record.search("CarePlan", query, most=MOST_PEOPLE):
        if (model := wanted({}, [plan])) != FORM:
            found[str(plan["subject"]["reference"])] = next(code for code, one in READY.items() if one == model)
    return found


async def with_stays(record: Record, named: Sequence[Named]) -> list[Named]:
    """With who is in hospital: a visit to come is noted all the same, paused."""
    away, now = await stays.away(record), record.now()
    return [replace(one, away=one.patient["reference"] in away and one.wanted.start > now) for one in named]


async def refusals(record: Record, named: Sequence[Named], aides: Sequence[Listed]) -> list[Problem]:
    """The lines of an aide whom the person does not let open the record: she would have nothing to go by, and is not wanted."""
    ids, coming = _ids(record), {one.aide["reference"] for one in named}
    takers = {aide_reference(record, one)["reference"]: one for one in aides}
    asked = sorted(coming & takers.keys())
    refusing = await asyncio.gather(*(refused_by(record, names_of(ids, takers[one])) for one in asked))
    refused = dict(zip(asked, refusing, strict=True))
    return [
        Problem(one.wanted.line, one.wanted.column("aide"), _REFUSED, takers[one.aide["reference"]].name)
        for one in named
        if one.patient["reference"] in refused[one.aide["reference"]]
    ]


def aide_reference(record: Record, one: Listed) -> Tree:
    role = reference(_ids(record), Key(0, kind_of("PractitionerRole"), one.of.role))
    return {"reference": role, "display": f"{one.name} ({one.role.lower()})"}


def patient_reference(tree: Tree) -> Tree:
    who = identity(tree)
    return {"reference": f"Patient/{tree['id']}", "display": f"{who.given} {who.called}".strip()}


def _is_called(who: Identity, row: Wanted) -> bool:
    names = {
        plain(f"{one} {other}")
        for name in (who.family, who.called)
        for one, other in ((who.given, name), (name, who.given))
    }
    return plain(row.person) in names and row.born in ("", who.born)


def _turned(name: str) -> str:
    """'Anne Le Goff' as planning software writes it: 'LE GOFF Anne'."""
    first, _space, family = name.partition(" ")
    return plain(f"{family} {first}")


def _ids(record: Record) -> Ids:
    return Ids(record.engine.store.vault.id_key)
