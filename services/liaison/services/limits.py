"""How much one address may ask of what checks secrets or costs much: sign-in and the endpoints of the authorization
server. FHIR calls have a caller, and their own budgets."""

import re
from collections.abc import MutableMapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from liaison.auth.oauth2 import rate_limits
from liaison.auth.oauth2.rate_limits import TooMany
from liaison.fhir.errors import Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.house import House
from liaison.services.oauth.answers import json_answer

Scope = MutableMapping[str, Any]

_COUNTED: Final = re.compile(
    r"/oauth/.+|/psc/.+|/(connexion|confirmer)(/.*)?|/premier-code|/(premier-acces|editeurs)/.+|/telephone.*"
)
_NOT: Final = ("/oauth/jwks",)  # a public document
_SAID: Final = "Trop de demandes depuis votre réseau. Réessayez dans {seconds} s.\n"


async def refused(scope: Scope, house: House) -> Response | None:
    """The answer to a call that is one too many; None for one that may go on."""
    path: str = scope["path"]
    if not _COUNTED.fullmatch(path) or path in _NOT:
        return None
    known: tuple[str, int] = scope.get("client") or ("", 0)
    address = rate_limits.whose_address(known[0])
    if not address:
        return None
    try:
        with faults.reported():
            await rate_limits.take(house.database.writing, rate_limits.CALLS, address)
    except TooMany as error:
        asked = FhirRequest(scope["method"], path.lstrip("/").partition("/")[0], address=known[0])
        await house.journal.refused_call(asked, 429)
        return answer(path, error)
    except Unavailable:
        return None  # whoever answers says so in its own words
    return None


async def told(request: Request, error: TooMany) -> Response:
    """The answer of an endpoint that has counted one too many itself, on record."""
    house, path = request.app.state.house, request.url.path
    address = request.client.host if request.client else ""
    await house.journal.refused_call(FhirRequest(request.method, path.lstrip("/"), address=address), 429)
    return answer(path, error)


def answer(path: str, error: TooMany) -> Response:
    """429, in the words of the one who asks."""
    seconds = str(error.seconds)
    if path.startswith("/oauth/") and path not in ("/oauth/authorize", "/oauth/consent"):
        content = {"error": "temporarily_unavailable", "error_description": str(error)}
        return json_answer(content, 429, retry_after=seconds)
    headers = {"retry-after": seconds, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return PlainTextResponse(_SAID.format(seconds=seconds), 429, headers)
