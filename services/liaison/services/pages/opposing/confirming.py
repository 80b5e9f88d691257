"""Oppositions à confirmer: what was recorded provisionally, by when it is to be confirmed, and what waits too long.

It counts all the while, and never lapses: what nobody confirms stays in force, on top of this page, and in front of the
data protection officer, who reads no name here. A person who opposes all sharing is hidden from their team; the identity
of those on this list is read by the principal of identities, for whoever must speak with them.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import vocabulary
from liaison.auth.access.facts.reading import codes
from liaison.auth.access.merging import REPLACED
from liaison.auth.access.roles import confirms
from liaison.auth.caller import Caller
from liaison.fhir.errors import BadRequest, Forbidden, NotFound
from liaison.protocols.workdays import working_days_after
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, address_of, identities, signed_in

Tree = dict[str, Any]


WITHIN: Final = 3
"""Working days."""
_NAMED: Final = ("PractitionerRole", "Practitioner", "Organization")
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Waiting:
    """One opposition of the list. `who` is None for whoever reads no names; `signed`: a form that the person signed can be read, here
    alone while the record is closed to who confirms. `also`: the same one in records of the person that were merged."""

    id: str
    who: Identity | None
    about: str
    at: datetime | None
    by: date
    late: bool
    provisional: bool
    signed: bool = False
    also: tuple[str, ...] = ()


def due(at: datetime) -> date:
    """The last day to confirm what was recorded at that moment."""
    return working_days_after(at.astimezone(moments.PARIS).date(), WITHIN)


class Counted(NamedTuple):
    """How many wait, and how many of them too long."""

    all: int = 0
    late: int = 0


async def counted(record: Record, role: str) -> Counted:
    """Those that wait, for whoever could confirm them and for the data protection officer; none for anyone else."""
    if not confirms(role) and role != "dpo":
        return Counted()
    consents = await found(record, "Consent", {"status": "proposed", "_count": "100"}, _MOST)
    today = record.now().date()
    return Counted(len(consents), sum(_until(tree) < today for tree in consents))


async def show(request: Request, *, error: str = "", status: int = 200) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    named = confirms(me.role_code)
    states = "proposed,active" if named else "proposed"
    consents = await found(record, "Consent", {"status": states, "_count": "100"}, _MOST)
    listed = [tree for tree in consents if tree["status"] == "proposed" or _opposes_all(tree)]
    people = await _people(request, caller, listed) if named and listed else {}
    gettext = translations(language_of(request)).gettext
    lines = _told_once([(await _line(record, tree, people, gettext), tree) for tree in listed], people)
    lines.sort(key=lambda line: (not line.provisional, line.by))
    return render(
        request,
        "opposing/confirming.html",
        status=status,
        lines=lines,
        late=sum(line.late for line in lines),
        named=named,
        error=error,
    )


async def decide(request: Request) -> Response:
    """Confirms, or withdraws, after the person was asked again: in each record that the card stands for, if all can be read."""
    caller, me = await signed_in(request)
    if not confirms(me.role_code):
        raise Forbidden
    record = Record(request.app.state.house.engine, caller, address_of(request))
    form = await request.form()
    read = [await record.read(f"Consent/{id_}") for id_ in (request.path_params["id"], *form.getlist("also"))]
    trees = [tree for tree in read if tree is not None]
    if len(trees) < len(read):
        raise NotFound
    if not form.get("asked"):
        words = translations(language_of(request)).gettext(_("Dites que vous l'avez vérifié avec la personne."))
        return await show(request, error=words, status=400)
    for tree in trees:
        if form.get("act") == "confirm" and tree["status"] == "proposed":
            asked = [*tree.get("verification", []), verified(tree, record.now())]
            await record.update({**tree, "status": "active", "verification": asked})
        elif form.get("act") == "withdraw":
            await end(record, tree, me)
        else:
            raise BadRequest("act is 'confirm' or 'withdraw'.")
    return RedirectResponse("/oppositions", status_code=303)


def verified(tree: Tree, now: datetime) -> Tree:
    """That the person was asked, now."""
    said = now.isoformat(timespec="seconds")
    return {"verified": True, "verifiedWith": {"reference": tree["patient"]["reference"]}, "verificationDate": said}


async def end(record: Record, tree: Tree, me: Me) -> None:
    """Ends a Consent in force by the person's word, given to whoever is signed in. A new version: what stood stays in
    the history. That an opposition was withdrawn is told and reviewed."""
    if me.role_code not in ("patient", "guardian") and "opposition" in codes(tree.get("category"), vocabulary.CONSENT):
        stated = {"resourceType": "Parameters", "parameter": [{"name": "means", "valueCode": "oral"}]}
        await record.operate(f"Consent/{tree['id']}/$withdraw", stated)
        return
    ended = {**tree, "status": "inactive", "dateTime": record.now().isoformat(timespec="seconds")}
    if me.role_code not in ("patient", "guardian"):
        ended["verification"] = [*tree.get("verification", []), verified(tree, record.now())]
    await record.update(ended)


def _opposes_all(tree: Tree) -> bool:
    provision = tree.get("provision") or {}
    return (
        "opposition" in codes(tree.get("category"), vocabulary.CONSENT)
        and provision.get("type") == "deny"
        and not provision.get("actor")
    )


async def _people(request: Request, caller: Caller, consents: list[Tree]) -> dict[str, Tree]:
    wanted = sorted({str(tree["patient"]["reference"]) for tree in consents})
    async with identities(request, caller) as cell:
        trees = await asyncio.gather(*(cell.read(one) for one in wanted))
    return {one: tree for one, tree in zip(wanted, trees, strict=True) if tree is not None}


def _told_once(lines: list[tuple[Waiting, Tree]], people: dict[str, Tree]) -> list[Waiting]:
    """What was said once is in each of the records that were merged: it is one card, and decided once."""
    said: dict[tuple[object, ...], Waiting] = {}
    for line, tree in lines:
        same = (_kept_as(str(tree["patient"]["reference"]), people), line.about, line.at, line.provisional)
        first = said.get(same)
        said[same] = line if first is None else replace(first, also=(*first.also, line.id))
    return list(said.values())


def _kept_as(patient: str, people: dict[str, Tree]) -> str:
    """The record that replaces this one, of those whose names are read."""
    seen = set()
    while patient not in seen:
        seen.add(patient)
        links = people.get(patient, {}).get("link", ())
        into = [one["other"].get("reference", "") for one in links if one.get("type") == REPLACED]
        patient = next((one for one in into if one in people), patient)
    return patient


def _until(tree: Tree) -> date:
    """The last day to confirm it. Whoever dates it ahead does not put it off."""
    said, written = moments.happened(tree), moments.written(tree)
    return due(min(said, written) if said else written)


async def _line(record: Record, tree: Tree, people: dict[str, Tree], gettext: Callable[[str], str]) -> Waiting:
    at, until = moments.happened(tree), _until(tree)
    provisional = tree["status"] == "proposed"
    person = people.get(str(tree["patient"]["reference"]))
    return Waiting(
        str(tree["id"]),
        identity(person) if person else None,
        await _about(record, tree, gettext),
        at,
        until,
        provisional and until < record.now().date(),
        provisional,
        bool(tree.get("sourceAttachment")),
    )


async def _about(record: Record, tree: Tree, gettext: Callable[[str], str]) -> str:
    """To what: all sharing, one named, emergency access, one item."""
    kinds = set(codes(tree.get("category"), vocabulary.CONSENT))
    if "emergency-objection" in kinds:
        return gettext(_("À tout accès en urgence"))
    if "masking" in kinds:
        return gettext(_("Information masquée"))
    actors = (tree.get("provision") or {}).get("actor") or []
    names = [name for actor in actors if (name := await name_of(record, actor.get("reference") or {}))]
    return ", ".join(names) or gettext(_("À tout partage"))


async def name_of(record: Record, reference: Tree) -> str:
    """Who is named, as the directory has it where the reference does not say."""
    if reference.get("display"):
        return str(reference["display"])
    text = str(reference.get("reference", ""))
    if not text.startswith(_NAMED):
        return ""
    tree = await record.read(text) or {}
    if tree.get("resourceType") == "PractitionerRole":
        return await name_of(record, tree.get("practitioner") or {})
    name = tree.get("name")
    if isinstance(name, str):
        return name
    first: Tree = next(iter(name or ()), {})
    return str(first.get("text") or " ".join([*first.get("given", ()), first.get("family", "")])).strip()
