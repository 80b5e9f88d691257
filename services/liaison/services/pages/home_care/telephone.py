"""What the telephone asks of the service: who is signed in, the tour, and a receipt for what it brings. JSON, for our own script alone.

A refusal is a status and one word, `why`: the telephone keeps what it has, and says what to do.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from liaison.auth.people import phones
from liaison.fhir.errors import BadRequest, FhirError, Forbidden
from liaison.fhir.model import reread
from liaison.fhir.store import faults
from liaison.services.delivery import receiving, tour
from liaison.services.delivery.letter import LARGEST, YEARS
from liaison.services.delivery.receiving import Parcel
from liaison.services.pages import cookies
from liaison.services.pages.languages import language_of
from liaison.services.pages.layout import confine
from liaison.services.pages.page import bounded_body, check_origin
from liaison.services.pages.signed_in import RoleNeeded, SignInNeeded, signed_in

AIDES: Final = frozenset({"home-aide", "home-service-manager", "care-assistant"})
LIMIT: Final = 2 * LARGEST
_PARCEL: Final = {"visit", "kid", "sealed", "clock"}
log = structlog.get_logger()


async def who(request: Request) -> Response:
    """Who is signed in, for the page that was started without a network: what she is called there, and the token that her forms
    carry. Another site cannot read it: no answer here allows one to (CORS)."""
    _, me = await signed_in(request)
    first, *rest = me.name.split()
    short = f"{first} {rest[-1][0]}." if rest else first
    return JSONResponse(
        {"id": me.person, "name": short, "csrf": me.csrf, "enrolled": await _enrolled(request) is not None}
    )


async def take_along(request: Request) -> Response:
    """The tour of whoever is signed in, for the telephone whose key comes with the question."""
    caller, me = await signed_in(request)
    device = tour.thumbprint((await _told(request, {"device"}))["device"])
    house = request.app.state.house
    made = await tour.packed(house, caller, me, await _phone(request), device, language_of(request))
    return JSONResponse({**made.told(), "csrf": me.csrf})


async def bring(request: Request) -> Response:
    """One finished visit. Whoever is signed in may deliver a colleague's."""
    caller, _ = await signed_in(request)
    parcel = _parcel(await _told(request, _PARCEL))
    receipt = await receiving.receive(request.app.state.house, caller, await _phone(request), parcel)
    return JSONResponse(
        {
            "visit": str(receipt.visit),
            "hash": receipt.digest.hex(),
            "state": receipt.state,
            "at": receipt.at.isoformat(timespec="seconds"),
        }
    )


async def _phone(request: Request) -> int:
    """The number of the enrolled telephone. Forbidden on any other: what is kept without a network is kept on these alone."""
    phone = await _enrolled(request)
    if phone is None:
        raise Forbidden("This telephone is not enrolled.")
    return phone.number


async def _enrolled(request: Request) -> phones.Phone | None:
    with faults.reported():
        return await phones.find(request.app.state.house.database.reading, cookies.read(request, cookies.PHONE))


async def _nobody(request: Request, *, asked: bool) -> Response:
    """Nobody is signed in. One that only asks learns whether it is still a telephone of a service: if not, it forgets its tours."""
    told: dict[str, Any] = {"why": "sign-in"}
    if asked:
        told["enrolled"] = await _enrolled(request) is not None
    return JSONResponse(told, status_code=401)


async def _told(request: Request, names: set[str]) -> dict[str, Any]:
    try:
        told = reread(await request.body())
    except (ValueError, FhirError):
        raise BadRequest("The body is not JSON.") from None
    if not isinstance(told, dict) or set(told) != names:
        raise BadRequest(f"The body has exactly: {', '.join(sorted(names))}.")
    return told


def _parcel(told: dict[str, Any]) -> Parcel:
    if not all(isinstance(value, str) for value in told.values()):
        raise BadRequest("Each of them is a text.")
    try:
        sealed = base64.b64decode(told["sealed"], validate=True)
        clock = datetime.fromisoformat(told["clock"])
        number = UUID(told["visit"])
    except (binascii.Error, ValueError):
        raise BadRequest("The number, the clock or what is sealed is malformed.") from None
    if clock.tzinfo is None or clock.year not in YEARS:
        raise BadRequest("The clock has no zone, or a year that no clock shows.")
    if not 0 < len(sealed) <= LARGEST or len(told["kid"]) > 64 or "\0" in told["kid"]:
        raise BadRequest("What is sealed is empty or too large, or the name of its key is malformed.")
    return Parcel(number, told["kid"], sealed, clock)


def _asked(path: str, endpoint: Callable[[Request], Awaitable[Response]], method: str = "POST") -> Route:
    """What is posted is checked for origin and token like a form; a refusal is JSON, so that the telephone can tell it from the
    network's."""

    async def answered(request: Request) -> Response:
        try:
            if method == "POST":
                await bounded_body(request, LIMIT)
                await check_origin(request)
            if (await signed_in(request)).caller.role_code not in AIDES:
                raise Forbidden("This is for home care.")
            return await endpoint(request)
        except (SignInNeeded, RoleNeeded):
            return await _nobody(request, asked=method == "GET")

    async def run(request: Request) -> Response:
        try:
            answer = await answered(request)
        except Forbidden:
            answer = JSONResponse({"why": "forbidden"}, status_code=403)
        except FhirError as error:
            status = getattr(error, "answered", error.status)
            answer = JSONResponse({"why": "later" if status >= 500 else "malformed"}, status_code=status)
        except Exception:
            log.exception("telephone failed", path=path)  # no local variables: they could hold a record
            answer = JSONResponse({"why": "later"}, status_code=500)
        return confine(request, answer)

    return Route(path, run, methods=[method])


def routes() -> list[Route]:
    return [
        _asked("/telephone/qui", who, "GET"),
        _asked("/telephone/tournee", take_along),
        _asked("/telephone/visites", bring),
    ]
