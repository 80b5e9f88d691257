"""Aujourd'hui: the visits of the day, in order, at most fifteen cards."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.people import service_numbers
from liaison.fhir.store import faults
from liaison.protocols.forms import wanted
from liaison.protocols.staying import is_paused
from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.home_care import again, receipts, replies
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.appointments import asked
from liaison.services.pages.reading.concepts import Say
from liaison.services.pages.reading.contact import addresses, ways
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
MOST_CARDS: Final = 15
OPEN: Final = frozenset({"booked", "arrived", "pending", "proposed"})


@dataclass(frozen=True, slots=True)
class Card:
    """One visit: when, who (first name and initial), where (commune), one instruction, and whether it is done; the
    Encounter that it was filed as, where it is seen; the model of the form that is filled in there. `paused`: the person is in
    hospital, and the visit waits for the discharge."""

    patient: str
    appointment: str
    at: datetime | None
    who: Identity
    commune: str
    instruction: str
    done: bool
    visit: str
    model: str
    paused: bool


async def today(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    gettext = translations(language_of(request)).gettext
    here = record.now().replace(hour=0, minute=0, second=0, microsecond=0)
    visits = await visits_since(record, here)
    cards, people, said, phone, filed, home = await asyncio.gather(
        tour(record, visits, here, me.role_reference if me.role_code == "home-aide" else "", gettext),
        everyone(record),
        replies.replies(record, gettext),
        service_phone(record, me.organization_reference),
        receipts.of(record, request.query_params, gettext),
        _read(record, request.query_params.get("retour", "")),
    )
    waiting_for = {card.patient for card in cards if not card.done and not card.paused}
    told = {card.visit for card in cards}
    known = dict(people)
    return render(
        request,
        "home_care/today.html",
        cards=cards,
        unplanned=[
            (patient, known[patient], moments.happened(one), str(one["id"]))
            for one in visits
            if again.number_of(one) and one["id"] not in told and (patient := _subject(one)) in known
        ],
        others=[one for one in people if one[0] not in waiting_for],
        replies=said,
        phone=phone,
        receipt=filed,
        home_again=home is not None,
        questions=await waiting(request),
    )


async def _read(record: Record, finding: str) -> Tree | None:
    """Of « Sorti(e) » that was just told, what the record holds."""
    return await record.read(f"Observation/{finding}") if finding else None


async def tour(record: Record, visits: list[Tree], here: datetime, role: str, say: Say = str) -> list[Card]:
    """The appointments of the day that begins `here`, of this aide or, without a role, all of the service. `visits`: those
    filed since, newest first."""
    query = [
        ("date", f"ge{here.isoformat()}"),
        ("date", f"lt{(here + timedelta(days=1)).isoformat()}"),
        ("_sort", "date"),
        ("_include", "Appointment:patient"),
        ("_count", "100"),
    ]
    if role:
        query.append(("actor", role))
    found = await record.search("Appointment", query, most=200)
    patients = {f"Patient/{tree['id']}": tree for tree in found if tree["resourceType"] == "Patient"}
    # The newest comes first, and stands for the appointment.
    done = {str(a.get("reference", "")): str(e["id"]) for e in reversed(visits) for a in e.get("appointment", [])}
    cards = []
    for appointment in (tree for tree in found if tree["resourceType"] == "Appointment"):
        reference = _patient(appointment)
        paused = is_paused(appointment)
        if reference not in patients or not (paused or appointment.get("status") in OPEN | {"fulfilled"}):
            continue
        patient = patients[reference]
        address: Tree = next(iter(addresses(patient, record.now())), {})
        cards.append(
            Card(
                reference.partition("/")[2],
                str(appointment["id"]),
                moments.happened(appointment),
                identity(patient),
                str(address.get("city", "")),
                "" if paused else asked(appointment, say),
                appointment["status"] == "fulfilled" or f"Appointment/{appointment['id']}" in done,
                done.get(f"Appointment/{appointment['id']}", ""),
                wanted(appointment, ()),
                paused,
            )
        )
    cards.sort(key=lambda card: (card.done, card.paused, card.at or datetime.max.replace(tzinfo=UTC)))
    return cards[:MOST_CARDS]


async def visits_since(record: Record, since: datetime) -> list[Tree]:
    """Newest first."""
    query = [("date", f"ge{since.isoformat()}"), ("_sort", "-date"), ("_count", "100")]
    return [one for one in await record.search("Encounter", query, most=200) if not in_error(one)]


def _subject(tree: Tree) -> str:
    return str(tree.get("subject", {}).get("reference", "")).removeprefix("Patient/")


def _patient(appointment: Tree) -> str:
    actors = [p.get("actor", {}).get("reference", "") for p in appointment.get("participant", [])]
    return next((str(a) for a in actors if a.startswith("Patient/")), "")


async def everyone(record: Record) -> list[tuple[str, Identity]]:
    """Those I may visit: a visit that was not planned must not dead-end."""
    people = [(str(p["id"]), identity(p)) for p in await record.search("Patient", {"_count": "100"}, most=100)]
    return sorted(people, key=lambda one: one[1].sorting)


async def service_phone(record: Record, organization: str) -> str:
    """The number of the aide's own service at this hour, as its manager says; or else as the directory has it, '' for none."""
    with faults.reported():
        own = await service_numbers.of_service(record.engine.store.database.reading, record.caller.organization)
    if (now := service_numbers.at(own, record.now())) is not None:
        return now.phone
    return await directory_phone(record, organization)


async def directory_phone(record: Record, organization: str) -> str:
    """The number of a service, as the directory has it; '' when it has none."""
    service = await record.read(organization) if organization else None
    return next(iter(ways(service or {}, "phone", record.now())), "")
