"""Signed out there, signed out here; and the other way round.

The provider tells us server to server (Back-Channel Logout 1.0), and in a frame of its own page (Front-Channel Logout 1.0).
Both end every session that came of that sign-in, on every worker. A frame of another site has none of our cookies: what it
names is the provider's `sid`, which nobody else knows.
"""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.oauth2.errors import InvalidRequest
from liaison.auth.people import browsers
from liaison.auth.people.pro_sante_connect.calls import NotAnswered
from liaison.auth.people.pro_sante_connect.id_token import NotProven, verify_logout
from liaison.auth.people.pro_sante_connect.provider import Provider
from liaison.fhir.store import faults
from liaison.services.oauth.answers import form_of, json_answer, unavailable
from liaison.services.pages.layout import render
from liaison.services.pages.pro_sante_connect.signing_in import provider_of
from liaison.services.pages.signed_in import address_of


async def signed_out_here(request: Request, sealed: bytes) -> Response | None:
    """The page after signing out here, which offers to sign out there too: on a shared machine the next person would be
    let in by it. A form, because its token is in no address. None where the provider offers no such way."""
    house = request.app.state.house
    provider: Provider | None = house.pro_sante_connect
    try:
        address = (await provider.addresses()).end_session if provider else ""
    except NotAnswered:
        address = ""
    if not address or provider is None:
        return None
    parts = urlsplit(address)
    return render(
        request,
        "pro_sante_connect/signed_out.html",
        form_targets=(f"{parts.scheme}://{parts.netloc}",),
        address=address,
        token=house.vault.territory.open(browsers.ELSEWHERE, sealed).decode(),
        client_id=provider.registration.client_id,
        after=provider.registration.after_logout,
    )


async def _end(request: Request, session: str) -> None:
    house = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            for account, person in await browsers.end_elsewhere(connection, session):
                out = Entry(
                    Event.SIGN_OUT, person=person, account=account, method=request.method, path="psc/deconnexion",
                    address=address_of(request),
                )  # fmt: skip
                await house.journal.record_within(connection, (out,))


async def back_channel(request: Request) -> Response:
    """§2.7: 200 when it is done, 400 for a token that is not the provider's."""
    provider = provider_of(request)
    try:
        form = dict(await form_of(request))
        session = await verify_logout(
            provider, form.get("logout_token", ""), request.app.state.house.database.clock.seconds()
        )
    except InvalidRequest as problem:
        return json_answer({"error": problem.error}, 400)
    except NotProven as problem:
        return json_answer({"error": "invalid_request", "error_description": str(problem)}, 400)
    except NotAnswered:
        return unavailable()
    await _end(request, session)
    return json_answer({})


async def front_channel(request: Request) -> Response:
    """An empty page, which the provider alone may frame."""
    provider = provider_of(request)
    issuer = provider.registration.issuer
    session = request.query_params.get("sid", "")
    if request.query_params.get("iss") == issuer and session:
        await _end(request, session)
    parts = urlsplit(issuer)
    return Response(
        headers={
            "content-security-policy": f"default-src 'none'; frame-ancestors {parts.scheme}://{parts.netloc}",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
        }
    )
