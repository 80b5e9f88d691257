"""Logiciels : requests that wait for an administrator and the DPO, and the software that is registered.

Both approve; that the two are two people is decided by liaison.auth.vendors.requests. An administrator also switches
software on and off, and says that it was reviewed. Each act is in the journal, in its own transaction.
"""

from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access.rebuild import rebuild
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import ClientProblem
from liaison.auth.vendors import activations, life, requests
from liaison.auth.vendors.requests import NotNow
from liaison.fhir.errors import Forbidden, Unprocessable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import role_name
from liaison.services.pages.signed_in import address_of, signed_in

_OF_BOTH: Final = ("approve", "refuse")
_ACTS: Final = {
    "approve": Act.CLIENT_APPROVED,
    "refuse": Act.CLIENT_REFUSED,
    "activate": Act.CLIENT_ON,
    "deactivate": Act.CLIENT_OFF,
    "suspend": Act.CLIENT_SUSPENDED,
    "resume": Act.CLIENT_RESUMED,
    "review": Act.CLIENT_REVIEWED,
    "end": Act.CLIENT_ENDED,
}


class Switched(NamedTuple):
    """One organisation for which software is switched on or off; '' names the people who act for themselves."""

    name: str
    reference: str
    client_id: str
    active: bool


class Registered(NamedTuple):
    """One registration, as the page shows it."""

    client_id: str
    name: str
    kind: str
    scope: str
    active: bool
    ended: bool
    review_due: datetime | None
    overdue: bool
    by_activation: bool
    switched: list[Switched]


async def software(request: Request) -> Response:
    """GET shows, POST acts and comes back."""
    caller, _ = await signed_in(request)
    if request.method == "POST":
        await _act(request, caller)
        return confine(request, RedirectResponse("/logiciels", status_code=303))
    house = request.app.state.house
    organizations = await _organizations(request, caller)
    gettext = translations(language_of(request)).gettext
    with faults.reported():
        waiting = await requests.waiting(house.database.reading)
        registered = await _registered(request, organizations)
        mine = await house.database.reading.fetch(
            "select request from client_approval where person = $1", caller.practitioner
        )
    return render(
        request,
        "software/desk.html",
        roles={code: role_name(code, gettext) for code in ROLES},
        waiting=waiting,
        approved={row["request"] for row in mine},
        part=caller.role_code,
        registered=registered,
        organizations=organizations,
    )


async def _organizations(request: Request, caller: Caller) -> dict[str, str]:
    """The names of the directory's organisations by reference, as the person sees them."""
    record = Record(request.app.state.house.engine, caller, address_of(request))
    found = await record.search("Organization", {"_sort": "name", "_elements": "name", "_count": "200"})
    return {f"Organization/{tree['id']}": str(tree.get("name", tree["id"])) for tree in found}


async def _registered(request: Request, organizations: dict[str, str]) -> list[Registered]:
    house = request.app.state.house
    rows = await house.database.reading.fetch(
        "select client, client_id, name, kind, scope, active, ended_at is not null as ended, review_due,"
        " coalesce(review_due < now(), false) as overdue, by_activation from client where registration is null"
        " order by ended_at is not null, name, client_id"
    )
    names = {_number(request, reference): (name, reference) for reference, name in organizations.items()}
    found = []
    for row in rows:
        switched = []
        for one in await activations.of_client(house.database.reading, row["client"]):
            name, reference = names.get(one.organization, ("", ""))
            switched.append(Switched(name, reference, one.client_id, one.active))
        found.append(_one(row, switched))
    return found


def _one(row: asyncpg.Record, switched: list[Switched]) -> Registered:
    parts = {name: row[name] for name in Registered._fields if name != "switched"}
    return Registered(**parts, switched=switched)


def _number(request: Request, reference: str) -> int:
    key = request.app.state.house.store.key(*reference.split("/", 1))
    return key.res if key else 0


async def _act(request: Request, caller: Caller) -> None:
    house, form = request.app.state.house, await request.form()
    act, client_id = str(form.get("act", "")), str(form.get("client_id", ""))
    if caller.role_code != "admin" and act not in _OF_BOTH:
        raise Forbidden("The DPO approves and refuses; the administrator does the rest.")
    told = FhirRequest(request.method, f"logiciels/{act}"[:40], address=address_of(request))
    try:
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                if act in _OF_BOTH:
                    await _decide(connection, caller, act, str(form.get("request", "")))
                else:
                    await _change(request, connection, act, client_id, str(form.get("organization", "")))
                organization = str(form.get("organization", ""))
                number = str(form.get("request", "")) if act in _OF_BOTH else ""
                detail = {"act": _ACTS[act], "client": client_id, "organization": organization, "number": number}
                await house.journal.record_within(
                    connection, (entry(caller, Event.RIGHTS, request=told, detail=detail),)
                )
            if act in ("activate", "deactivate", "suspend", "resume", "end"):
                # A backend's rights are those of its organisation's facts, which stand in records already.
                await rebuild(house.database.writing, house.vault)
    except (NotNow, ClientProblem) as error:
        raise Unprocessable(str(error)) from None


async def _decide(connection: asyncpg.Connection, caller: Caller, act: str, number: str) -> None:
    if not (number.isascii() and number.isdecimal() and len(number) < 20):
        raise NotNow("There is no such request.")
    if act == "approve":
        await requests.approve(connection, int(number), caller.role_code, caller.practitioner)
    else:
        await requests.refuse(connection, int(number))


async def _change(
    request: Request, connection: asyncpg.Connection, act: str, client_id: str, organization: str
) -> None:
    number = _number(request, organization) if "/" in organization else activations.PEOPLE
    if organization and not number:
        raise ClientProblem("There is no such organisation.")
    match act:
        case "activate":
            await activations.activate(connection, client_id, number)
        case "deactivate":
            known = await activations.deactivate(connection, client_id, number)
            if not known:
                raise ClientProblem("It was not switched on there.")
        case "suspend" | "resume":
            if not await clients.suspend(connection, client_id, active=act == "resume"):
                raise ClientProblem("There is no such software in force.")
        case "review":
            if not await life.reviewed(connection, client_id):
                raise ClientProblem("There is nothing to review.")
        case "end":
            if not await life.end(connection, client_id):
                raise ClientProblem("There is no such software in force.")
        case _:
            raise ClientProblem("This is nothing that can be done here.")
