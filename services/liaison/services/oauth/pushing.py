"""/oauth/par (RFC 9126): an authorization request handed over directly, before the browser comes."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2 import rfc9126
from liaison.auth.oauth2.errors import OAuthError
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.services.oauth.answers import error_answer, form_of, json_answer, unavailable
from liaison.services.oauth.binding import pushed_key
from liaison.services.oauth.clients import authenticate


async def push(request: Request) -> Response:
    """201 with a request_uri, or the error that the authorization endpoint would have given."""
    house = request.app.state.house
    issuer = house.settings.public_url
    try:
        with faults.reported():
            pairs = await form_of(request)
            # §2: what names this server, at this endpoint, is its issuer or either address.
            client = await authenticate(request, Parameters.read(pairs), (issuer, f"{issuer}/oauth/par"))
            pairs = await pushed_key(request, client, pairs)
            reference = await rfc9126.push(
                house.database.writing, house.vault.territory, client, pairs, house.settings.fhir_base
            )
    except OAuthError as error:
        return error_answer(error)
    except Unavailable:
        return unavailable()
    return json_answer({"request_uri": reference, "expires_in": rfc9126.LIFETIME}, 201)
