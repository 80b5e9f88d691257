"""The patient educator of a session: who may be named, and what the one who is named is told of those on its list (row 20b).

First names alone leave here, of those who agreed to it for that session, while it is held and a day after. They are found by the
principal `first-names`, in a session that reaches this one list and these people, for the reader whom the journal names; the
reader's own rights open no record.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access import educators, internal, masking, oppositions, vocabulary
from liaison.auth.access.educators import Lacking
from liaison.auth.caller import Caller
from liaison.protocols import codes
from liaison.protocols.workshops import LONGEST, Session, noted, patient_of
from liaison.protocols.workshops import educators as named
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, human_name, signed_in
from liaison.services.pages.workshops import agenda

Tree = dict[str, Any]
PATH: Final = "/mes-seances"
AFTER: Final = timedelta(hours=24)
"""How long after its end the first names of a session are told."""
EXPECTED: Final = frozenset({"booked", "arrived", "checked-in", "fulfilled"})
"""The states of an Appointment of somebody who comes, or came."""
LACKING: Final[dict[Lacking, str]] = {
    "role": _("L’annuaire ne dit pas, ou plus, que cette personne intervient pour une association à cette date."),
    "approval": _("L’annuaire ne dit pas que son association est agréée à cette date (CSP L.1114-1)."),
    "training": _(
        "L’annuaire ne dit pas qu’elle a suivi la formation de 40 heures à l’éducation thérapeutique (CSP D.1161-1)."
    ),
}


@dataclass(frozen=True, slots=True)
class Educator:
    """Somebody of the directory in that role. `lacking`: why the law does not let them in on that day."""

    reference: str
    name: str
    association: str
    lacking: Lacking

    @property
    def why_not(self) -> str:
        return LACKING.get(self.lacking, "")


@dataclass(frozen=True, slots=True)
class Told:
    """One session as its patient educator is told of it. `others`: who is on the list and not named here."""

    session: Session
    names: list[str]
    others: int
    why_not: str = ""


async def known(record: Record, held: Session, mine: str = "") -> list[Educator]:
    """Those of the directory for that session, by name; with `mine`, that PractitionerRole alone."""
    criteria = {"_id": mine.partition("/")[2]} if mine else {"role": f"{vocabulary.ROLE}|{educators.ROLE}"}
    included = [("_include", f"PractitionerRole:{name}") for name in ("practitioner", "organization")]
    trees = await record.search("PractitionerRole", [*criteria.items(), *included, ("_count", "100")], most=600)
    by_reference = {f"{tree['resourceType']}/{tree['id']}": tree for tree in trees}
    told = []
    for reference, role in by_reference.items():
        if role["resourceType"] == "PractitionerRole":
            person, association = (_named(by_reference, role, name) for name in ("practitioner", "organization"))
            why = educators.lacking(role, person, association, held.start)
            told.append(Educator(reference, human_name(person), str(association.get("name", "")), why))
    return sorted(told, key=lambda one: one.name.casefold())


def _named(trees: dict[str, Tree], role: Tree, name: str) -> Tree:
    return trees.get(str((role.get(name) or {}).get("reference", "")), {})


async def mine(request: Request) -> Response:
    """The sessions for which the reader is named, until a day after."""
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    now = record.now()
    since = now - AFTER - timedelta(minutes=LONGEST)
    found = await agenda.since(record, since, {"schedule.actor": me.role_reference})
    told = [await _told(request, caller, record, one, me.role_reference) for one in found if one.end + AFTER > now]
    return render(request, "workshops/mine.html", told=[one for one in told if one is not None])


async def _told(request: Request, caller: Caller, record: Record, held: Session, mine: str) -> Told | None:
    """None where they hold the session as somebody else than its patient educator."""
    _held, schedule = await agenda.one(record, held.id)
    if mine not in dict(named(schedule)):
        return None
    if held.cancelled:
        return Told(held, [], 0)
    why_not = next((one.why_not for one in await known(record, held, mine)), LACKING["role"])
    if why_not:
        return Told(held, [], 0, why_not)
    names, count = await _names(request, caller, held)
    return Told(held, names, count - len(names))


async def _names(request: Request, caller: Caller, held: Session) -> tuple[list[str], int]:
    """(first names of those who agreed, by name; how many are on the list)."""
    slot = f"slot=Slot/{held.id}"
    async with _record(request, caller, {"Appointment": (slot,)}) as record:
        places = await record.search("Appointment", {"slot": f"Slot/{held.id}", "_count": "100"}, most=500)
    hidden = await _masked(request, places)
    expected = [one for one in places if one["status"] in EXPECTED and f"Appointment/{one['id']}" not in hidden]
    agreed = {patient_of(one) for one in expected if noted(one, codes.FIRST_NAME) is True} - {""}
    open_ = [one.partition("/")[2] for one in sorted(agreed) if not await _opposed(request, caller, one)]
    if not open_:
        return [], len(expected)
    ids = ",".join(open_)
    async with _record(request, caller, {"Patient": (f"_id={ids}",)}) as record:
        people = [identity(one) for one in await record.search("Patient", {"_id": ids, "_count": "100"})]
    return sorted(one.given for one in people if one.given and not one.deceased), len(expected)


async def _masked(request: Request, places: Sequence[Tree]) -> Collection[str]:
    """What is masked in the records of those on the list (row 25): the principal sees it, the reader is told nothing of it."""
    house = request.app.state.house
    keys = (house.store.key("Appointment", str(one["id"])) for one in places)
    async with house.database.reading.acquire() as connection:
        return await masking.in_force(connection, house.vault, {key.patient for key in keys if key is not None})


async def _opposed(request: Request, caller: Caller, patient: str) -> bool:
    """To everyone, to this educator or to the association: said after they agreed, it holds."""
    store = request.app.state.house.store
    key = store.key(*patient.split("/", 1))
    return key is None or await oppositions.opposed_to(store, caller, key.patient)


@asynccontextmanager
async def _record(request: Request, caller: Caller, within: dict[str, tuple[str, ...]]) -> AsyncIterator[Record]:
    house = request.app.state.house
    pool = house.database.writing
    cell = await internal.open_session(pool, "first-names", timedelta(minutes=1), caller=caller, within=within)
    try:
        yield Record(house.engine, cell, address_of(request))
    finally:
        await internal.close_session(pool, cell)
