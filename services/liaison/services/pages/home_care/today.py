"""Aujourd'hui: the visits of the day, in order, at most fifteen cards."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols import codes
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments, sentences
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
MOST_CARDS: Final = 15
OPEN: Final = frozenset({"booked", "arrived", "pending", "proposed"})


@dataclass(frozen=True, slots=True)
class Card:
    """One visit: when, who (first name and initial), where (commune), one instruction, and whether it is done."""

    patient: str
    appointment: str
    at: datetime | None
    who: Identity
    commune: str
    instruction: str
    done: bool


async def today(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    cards = await tour(record, me.role_reference, me.role_code == "home-aide")
    return render(
        request,
        "home_care/today.html",
        cards=cards,
        others=await people_without_visit(record, {card.patient for card in cards}),
        instructions=await instructions(record),
        filed=request.query_params.get("envoyee") == "1",
    )


async def tour(record: Record, role: str, own: bool) -> list[Card]:
    """Today's visits of this aide; a manager sees those of her service."""
    here = datetime.now(moments.PARIS).replace(hour=0, minute=0, second=0, microsecond=0)
    query = [
        ("date", f"ge{here.isoformat()}"),
        ("date", f"lt{(here + timedelta(days=1)).isoformat()}"),
        ("_sort", "date"),
        ("_count", "100"),
    ]
    if own:
        query.append(("actor", role))
    appointments = await record.search("Appointment", query, most=100)
    done = {a["reference"] for e in await _visits_since(record, here) for a in e.get("appointment", [])}
    cards = []
    for appointment in appointments:
        reference = _patient(appointment)
        patient = await record.read(reference) if reference else None
        if patient is None or appointment.get("status") not in OPEN | {"fulfilled"}:
            continue
        finished = appointment["status"] == "fulfilled" or f"Appointment/{appointment['id']}" in done
        address: Tree = next(iter(patient.get("address", [])), {})
        said = str(
            appointment.get("patientInstruction") or appointment.get("comment") or sentences.sentence(appointment)
        )
        cards.append(
            Card(
                reference.partition("/")[2],
                str(appointment["id"]),
                moments.happened(appointment),
                identity(patient),
                str(address.get("city", "")),
                said,
                finished,
            )
        )
    cards.sort(key=lambda card: (card.done, card.at or datetime.max.replace(tzinfo=UTC)))
    return cards[:MOST_CARDS]


async def _visits_since(record: Record, since: datetime) -> list[Tree]:
    return await record.search("Encounter", [("date", f"ge{since.isoformat()}"), ("_count", "100")], most=200)


def _patient(appointment: Tree) -> str:
    actors = [p.get("actor", {}).get("reference", "") for p in appointment.get("participant", [])]
    return next((str(a) for a in actors if a.startswith("Patient/")), "")


async def people_without_visit(record: Record, listed: set[str]) -> list[tuple[str, Identity]]:
    """Those I may visit and who are not on today's list: a visit that was not planned must not dead-end."""
    people = [(str(p["id"]), identity(p)) for p in await record.search("Patient", {"_count": "100"}, most=100)]
    return sorted((one for one in people if one[0] not in listed), key=lambda one: one[1].sorting)


async def instructions(record: Record) -> list[Tree]:
    """What clinicians sent back these two days, newest first."""
    since = (datetime.now(moments.PARIS) - timedelta(days=2)).isoformat(timespec="seconds")
    category = f"{codes.HOME_CARE}|instruction"
    query = [("category", category), ("sent", f"ge{since}"), ("_sort", "-sent"), ("_count", "20")]
    return await record.search("Communication", query, most=20)
