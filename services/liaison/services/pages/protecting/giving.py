"""Whoever reads a report gives it to read to somebody else, by name (row 26b)."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import NotFound
from liaison.services.delivery import protecting
from liaison.services.house import House
from liaison.services.pages.protecting import readers, reports
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in


async def give(request: Request) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    me, address = signed.me.role_reference, address_of(request)
    form = await request.form()
    reference = str(form.get("personne", ""))
    people = dict(await readers.eligible(Record(house.engine, signed.caller, address)))
    if reference not in people or reference == me:
        return await reports.show(request, problem=True)
    async with protecting.opened(house, signed.caller) as cell:
        record = Record(house.engine, cell, address)
        told = await record.read(f"Communication/{form.get('signalement', '')}")
        if told is None or me not in [one.get("reference") for one in told.get("recipient", [])]:
            raise NotFound
        recipient = {"reference": reference, "display": people[reference]}
        await protecting.give_to_read(record, told, {"reference": me, "display": signed.me.name}, recipient)
    return RedirectResponse(reports.PATH, status_code=303)
