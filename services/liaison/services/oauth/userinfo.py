"""/oauth/userinfo (OpenID Connect Core §5.3): what the id_token says of the person, for as long as the token works."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.people.accounts import by_number, in_force
from liaison.auth.sessions import is_alive
from liaison.auth.smart.scopes import Scopes
from liaison.fhir.errors import Unauthorized, Unavailable
from liaison.fhir.store import faults
from liaison.fhir.store.ids import Ids
from liaison.services.oauth.answers import json_answer, unavailable
from liaison.services.oauth.binding import call_of
from liaison.services.pages.signed_in import reference


async def userinfo(request: Request) -> Response:
    """`sub`, and `fhirUser` where it was granted. Errors as RFC 6750 §3.1 writes them."""
    house = request.app.state.house
    try:
        with faults.reported():
            try:
                caller = await house.authenticator.caller(request.headers.get("authorization", ""), call_of(request))
            except Unauthorized:
                return _refused(401, "invalid_token")
            account = await by_number(house.database.reading, caller.account) if caller.account else None
            standing = account is not None and await in_force(house.database.reading, account.number)
            if account is None or not standing or not await is_alive(house.database.writing, caller.session):
                return _refused(401, "invalid_token")
    except Unavailable:
        return unavailable()
    names = caller.bound.names if isinstance(caller.bound, Scopes) else frozenset()
    if "openid" not in names:
        return _refused(403, "insufficient_scope")
    content: dict[str, Any] = {"sub": str(caller.account)}
    if names & {"fhirUser", "profile"}:
        content["fhirUser"] = f"{house.settings.fhir_base}/{reference(Ids(house.vault.id_key), account.person)}"
    return json_answer(content)


def _refused(status: int, error: str) -> Response:
    return json_answer({"error": error}, status, www_authenticate=f'Bearer error="{error}"')
