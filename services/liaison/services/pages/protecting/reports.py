"""Each reads the reports that were addressed to them, and no other: they are read through a principal of their own, since row 26b
opens them to the person whom the service has designated, and to those whom that person names, in the person's team or not.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import designated, sent_visits
from liaison.auth.people.designated import Designated
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.protocols import codes
from liaison.services.delivery import protecting
from liaison.services.delivery import waiting as delivered
from liaison.services.delivery.waiting import Waiting
from liaison.services.house import House
from liaison.services.pages.layout import render
from liaison.services.pages.protecting import readers
from liaison.services.pages.reading import moments, sentences
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import SignedIn, address_of, signed_in

Tree = dict[str, Any]
PATH: Final = "/signalements"
_MOST: Final = 200
_ALL: Final = {"category": f"{codes.HOME_CARE}|{protecting.CATEGORY}", "_count": "50"}


@dataclass(frozen=True, slots=True)
class Report:
    """`who`: None where the report could not be put into a record; it has no `id` then, and cannot be given to read. `others`: the
    names of those to whom its reader has given it."""

    who: Identity | None
    by: str
    at: datetime | None
    words: str
    id: str = ""
    passed_on: bool = False
    others: tuple[str, ...] = ()


async def show(request: Request, problem: bool = False) -> Response:
    signed = await signed_in(request)
    house: House = request.app.state.house
    with faults.reported():
        named = await designated.of_service(house.database.reading, signed.caller.organization)
    names = signed.me.role_code == "home-service-manager"
    record = Record(house.engine, signed.caller, address_of(request))
    mine, beside, people = await asyncio.gather(
        _addressed(house, signed, address_of(request)), _not_filed(house, signed), readers.eligible(record)
    )
    taken = {one.reference for one in named}
    return render(
        request,
        "protecting/reports.html",
        status=400 if problem else 200,
        reports=[*mine, *beside],
        readers=named,
        names=names,
        people=[one for one in people if one[0] not in taken],
        others=[one for one in people if one[0] != signed.me.role_reference],
        only_manager=all(one.manages for one in named),
        problem=problem,
    )


async def _addressed(house: House, signed: SignedIn, address: str) -> list[Report]:
    """Newest first."""
    me = signed.me.role_reference
    if not me:
        return []
    async with protecting.opened(house, signed.caller) as cell:
        record = Record(house.engine, cell, address)
        found = await record.search(
            "Communication",
            {**_ALL, "recipient": me, "_sort": "-sent", "_include": "Communication:patient"},
            most=_MOST,
        )
        given = await record.search("Communication", {**_ALL, "sender": me}, most=_MOST)
    people = {f"Patient/{tree['id']}": identity(tree) for tree in found if tree["resourceType"] == "Patient"}
    others: dict[str, list[str]] = {}
    for tree in given:
        for before in tree.get("inResponseTo", []):
            others.setdefault(str(before.get("reference")), []).append(str(tree["recipient"][0].get("display", "")))
    return [
        Report(
            people.get(str(tree.get("subject", {}).get("reference"))),
            sentences.author(tree),
            moments.happened(tree),
            str(tree["payload"][0].get("contentString", "")),
            str(tree["id"]),
            passed_on="inResponseTo" in tree,
            others=tuple(others.get(f"Communication/{tree['id']}", ())),
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
            named = await designated.of_service(house.database.reading, service)
            found = await delivered.waiting(house, service, sent_visits.PROTECTED)
            mine += [one for one in found if me in _meant(one, named)]
        told = FhirRequest("GET", PATH.lstrip("/"))
        await house.journal.record(
            tuple(entry(signed.caller, Event.OPERATION, patient=one.sent.patient, request=told) for one in mine)
        )
    return [
        Report(None, str(one.aide.get("display", "")), one.written, "\n".join(one.form.get("words", [])))
        for one in mine
    ]


def _meant(one: Waiting, named: list[Designated]) -> set[str]:
    """Whom the aide chose; where that is nobody designated, those who do not manage the service, if there is one."""
    chosen = "".join(one.form.get("to", []))
    if chosen in {reader.reference for reader in named}:
        return {chosen}
    return {reader.reference for reader in [one for one in named if not one.manages] or named}
