"""/oauth/revoke (RFC 7009): the same empty 200 whether the token was known or not."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2 import rfc7009
from liaison.auth.oauth2.errors import OAuthError
from liaison.auth.oauth2.rfc6749.parameters import Parameters
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.services.oauth.answers import error_answer, form_of, json_answer, unavailable
from liaison.services.oauth.clients import authenticate


async def revoke(request: Request) -> Response:
    house = request.app.state.house
    try:
        with faults.reported():
            parameters = Parameters.read(await form_of(request))
            client = await authenticate(request, parameters)
            async with house.database.writing.acquire() as connection:
                await rfc7009.revoke(
                    connection,
                    client,
                    parameters.required("token"),
                    keys=house.signing_keys,
                    issuer=house.settings.public_url,
                    audience=house.settings.fhir_base,
                )
    except OAuthError as error:
        return error_answer(error)
    except Unavailable:
        return unavailable()
    return json_answer({})
