"""The public documents: what this server can do, and the keys that verify what it issues. Open to every origin."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.smart import discovery
from liaison.fhir.errors import Unavailable
from liaison.services.oauth.answers import json_answer, unavailable


async def smart_configuration(request: Request) -> Response:
    settings = request.app.state.house.settings
    document = discovery.smart_configuration(settings.public_url, mtls=settings.proxy_socket is not None)
    return _public(json_answer(document))


async def openid_configuration(request: Request) -> Response:
    settings = request.app.state.house.settings
    document = discovery.openid_configuration(settings.public_url, mtls=settings.proxy_socket is not None)
    return _public(json_answer(document))


async def jwks(request: Request) -> Response:
    try:
        keys = request.app.state.house.signing_keys
        response = _public(json_answer(await keys.published()))
    except Unavailable:
        return unavailable()
    response.headers["cache-control"] = "public, max-age=300"
    del response.headers["pragma"]
    return response


def _public(response: Response) -> Response:
    response.headers["access-control-allow-origin"] = "*"
    return response
