"""Each reads the reports that were addressed to them, and no other: they are read through a principal of their own, since row 26b
opens them to the person whom the service has designated, whether in the person's team or not.

The manager of a service says who is designated; at least one of them should not be its manager, whom a report may be about.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import internal
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import designated, sent_visits
from liaison.auth.people.designated import Designated
from liaison.fhir.errors import BadRequest
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.protocols import codes
from liaison.services.delivery import protecting
from liaison.services.delivery import waiting as delivered
from liaison.services.delivery.waiting import Waiting
from liaison.services.house import House
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments, sentences
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.reception.welcome import directory
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me, SignedIn, address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/signalements"
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Report:
    """`who`: None where the report could not be put into a record."""

    who: Identity | None
    by: str
    at: datetime | None
    words: str


async def show(request: Request, problem: bool = False) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    with faults.reported():
        readers = await designated.of_service(house.database.reading, signed.caller.organization)
    names = signed.me.role_code == "home-service-manager"
    record = Record(house.engine, signed.caller, address_of(request))
    mine, beside, people = await asyncio.gather(
        _addressed(house, signed, address_of(request)),
        _not_filed(house, signed),
        _people(record, readers) if names else _nobody(),
    )
    return render(
        request,
        "protecting/reports.html",
        status=400 if problem else 200,
        reports=[*mine, *beside],
        readers=readers,
        names=names,
        people=people,
        only_manager=all(one.manages for one in readers),
        problem=problem,
    )


async def _addressed(house: House, signed: SignedIn, address: str) -> list[Report]:
    """Newest first."""
    cell = await protecting.opened(house, signed.caller)
    try:
        record = Record(house.engine, cell, address)
        query = {
            "category": f"{codes.HOME_CARE}|{protecting.CATEGORY}",
            "recipient": signed.me.role_reference,
            "_sort": "-sent",
            "_include": "Communication:patient",
            "_count": "50",
        }
        found = await record.search("Communication", query, most=_MOST) if signed.me.role_reference else []
    finally:
        with faults.reported():
            await internal.close_session(house.database.writing, cell)
    people = {f"Patient/{tree['id']}": identity(tree) for tree in found if tree["resourceType"] == "Patient"}
    return [
        Report(
            people.get(str(tree.get("subject", {}).get("reference"))),
            sentences.author(tree),
            moments.happened(tree),
            str(tree["payload"][0].get("contentString", "")),
        )
        for tree in found
        if tree["resourceType"] == "Communication" and not in_error(tree)
    ]


async def _not_filed(house: House, signed: SignedIn) -> list[Report]:
    """What no record took, of each service that has designated whoever is signed in, as far as it is meant for them."""
    me = signed.me.role_reference
    mine = []
    with faults.reported():
        services = await designated.services_of(house.database.reading, me)
        for service in services:
            readers = await designated.of_service(house.database.reading, service)
            found = await delivered.waiting(house, service, sent_visits.PROTECTED)
            mine += [one for one in found if me in _meant(one, readers)]
        told = FhirRequest("GET", PATH.lstrip("/"))
        await house.journal.record(
            tuple(entry(signed.caller, Event.OPERATION, patient=one.sent.patient, request=told) for one in mine)
        )
    return [
        Report(None, str(one.aide.get("display", "")), one.written, "\n".join(one.form.get("words", [])))
        for one in mine
    ]


def _meant(one: Waiting, readers: list[Designated]) -> set[str]:
    """Whom the aide chose; where that is nobody designated, those who do not manage the service, if there is one."""
    chosen = "".join(one.form.get("to", []))
    if chosen in {reader.reference for reader in readers}:
        return {chosen}
    return {reader.reference for reader in [one for one in readers if not one.manages] or readers}


async def _people(record: Record, readers: list[Designated]) -> list[tuple[str, str]]:
    """Whom the manager may designate: those of the directory whose role a care team may hold."""
    named = {one.reference for one in readers}
    found = await directory(record, mine="", in_teams=True)
    return [
        (reference, f"{name}, {role}" if role else name) for reference, name, role in found if reference not in named
    ]


async def _nobody() -> list[tuple[str, str]]:
    return []


async def designate(request: Request) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    record = Record(house.engine, signed.caller, address_of(request))
    reference = str((await request.form()).get("personne", ""))
    found = dict(await _people(record, []))
    if reference not in found:
        return await show(request, problem=True)
    await _decided(request, signed, reference, found)
    return RedirectResponse(PATH, status_code=303)


async def take_off(request: Request) -> Response:
    signed = await signed_in(request)
    reference = str((await request.form()).get("personne", ""))
    if not reference:
        raise BadRequest("Nobody is named.")
    await _decided(request, signed, reference)
    return RedirectResponse(PATH, status_code=303)


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
                detail = {"designated": reference} if found is not None else {"taken off": reference}
                await house.journal.record_within(
                    connection, (entry(signed.caller, Event.RIGHTS, request=told, detail=detail),)
                )


def _manages(me: Me, reference: str) -> bool:
    """Whoever decides who is designated: a report about them has to find another reader."""
    return reference == me.role_reference
