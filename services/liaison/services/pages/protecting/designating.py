"""The manager of a service says who reads its reports; at least one of them should not be its manager, whom a report may be about."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import designated
from liaison.fhir.errors import BadRequest
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.house import House
from liaison.services.pages.protecting import readers, reports
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, SignedIn, address_of, signed_in


async def designate(request: Request) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    record = Record(house.engine, signed.caller, address_of(request))
    reference = str((await request.form()).get("personne", ""))
    found = dict(await readers.eligible(record))
    if reference not in found:
        return await reports.show(request, problem=True)
    await _decided(request, signed, reference, found)
    return RedirectResponse(reports.PATH, status_code=303)


async def take_off(request: Request) -> Response:
    signed = await signed_in(request)
    reference = str((await request.form()).get("personne", ""))
    if not reference:
        raise BadRequest("Nobody is named.")
    await _decided(request, signed, reference)
    return RedirectResponse(reports.PATH, status_code=303)


async def _decided(request: Request, signed: SignedIn, reference: str, found: Mapping[str, str] | None = None) -> None:
    """Named, or with nobody `found` taken off, and journaled with it."""
    house: House = request.app.state.house
    organization, told = signed.caller.organization, FhirRequest("POST", request.url.path.lstrip("/"))
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            if found is not None:
                manages = _manages(signed.me, reference)
                done = await designated.name(
                    connection, organization, reference, found[reference], manages=manages, by=signed.caller.account
                )
            else:
                done = await designated.take_off(connection, organization, reference)
            if done:
                detail = (
                    {"act": Act.DESIGNATED, "designated": reference}
                    if found is not None
                    else {"act": Act.TAKEN_OFF, "taken off": reference}
                )
                await house.journal.record_within(
                    connection, (entry(signed.caller, Event.RIGHTS, request=told, detail=detail),)
                )


def _manages(me: Me, reference: str) -> bool:
    """Whoever decides who is designated: a report about them has to find another reader."""
    return reference == me.role_reference
