"""A session as a calendar, for whoever holds it or comes to it: when and where, and nobody's name but theirs who hold it."""

from datetime import UTC
from typing import Final

from icalendar import Calendar, Event
from starlette.requests import Request
from starlette.responses import Response

from liaison.services.pages.layout import confine
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in
from liaison.services.pages.workshops import agenda

_MADE_BY: Final = "-//Liaison//FR"


async def calendar(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    held, _schedule = await agenda.one(record, request.path_params["slot"])
    event = Event()
    event.add("uid", held.id)
    event.add("dtstamp", record.now())
    event.add("sequence", int(held.slot["meta"]["versionId"]))
    event.add("status", "CANCELLED" if held.cancelled else "CONFIRMED")
    # In UTC: the offset of a Slot names no time zone, and RFC 5545 §3.2.19 wants a VTIMEZONE for each TZID.
    event.add("dtstart", held.start.astimezone(UTC))
    event.add("dtend", held.end.astimezone(UTC))
    event.add("summary", held.title)
    event.add("location", held.place)
    event.add("description", ", ".join(held.held_by))
    made = Calendar()
    made.add("prodid", _MADE_BY)
    made.add("version", "2.0")
    made.add_component(event)
    answer = Response(made.to_ical(), media_type="text/calendar")
    answer.headers["content-disposition"] = 'attachment; filename="seance.ics"'
    return confine(request, answer)
