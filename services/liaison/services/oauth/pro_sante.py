"""Whose token of Pro Santé Connect it is: asked of Pro Santé Connect itself, each time (RFC 7662, its userinfo).

The issuer is pinned, and `acr` must be one that is enough to sign in; what is missing denies. The directory then says who
that is here, as when they sign in by a page: liaison.services.pages.pro_sante_connect.directory.
"""

from typing import Any, Final

from starlette.requests import Request

from liaison.auth.oauth2.errors import InvalidRequest
from liaison.auth.oauth2.rfc8693 import Identified
from liaison.auth.people.pro_sante_connect import calls, identity
from liaison.auth.people.pro_sante_connect.calls import NotAnswered
from liaison.auth.people.pro_sante_connect.id_token import NotProven
from liaison.auth.people.pro_sante_connect.identity import Professional
from liaison.auth.people.pro_sante_connect.provider import Provider
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.errors import Unavailable
from liaison.services.pages.pro_sante_connect import directory

_LONGEST: Final = 8192
_INTROSPECT: Final = "/protocol/openid-connect/token/introspect"
"""Keycloak's address: Pro Santé Connect states it in its guide, not in its configuration document."""


class ProSante:
    """For one call to the token endpoint."""

    def __init__(self, request: Request, provider: Provider) -> None:
        self._request = request
        self._provider = provider

    async def identify(self, token: str) -> Identified:
        """Raises InvalidRequest for a token that is not in force or does not say enough, Unavailable when Pro Santé
        Connect cannot be asked."""
        if len(token) > _LONGEST or not token.isascii() or not token.isprintable():
            raise refused()
        try:
            seconds, name, acr = await self._introspected(token)
            person = await self._person(token)
            if person.national_id != name:
                raise refused()
            account = await directory.account_of(self._request, person)
        except NotAnswered:
            raise Unavailable("Pro Santé Connect cannot be asked. Try again.") from None
        except (NotProven, SignInRefused):
            raise refused() from None
        return Identified(account, seconds, person.roles, f"{self._provider.registration.issuer} {acr}")

    async def _introspected(self, token: str) -> tuple[int, str, str]:
        """How long it is still good, SubjectNameID, and `acr`."""
        known = self._provider.registration
        form = {"token": token, "token_type_hint": "access_token"}
        reply = await calls.ask(
            f"{known.issuer}{_INTROSPECT}", form=form, authorization=calls.basic(known.client_id, known.secret)
        )
        if reply.status != 200:
            raise NotAnswered("The provider does not introspect.")
        found = reply.content
        if (
            found.get("active") is not True
            or found.get("iss") != known.issuer
            or found.get("acr") not in known.accepted
        ):
            raise refused()
        now = self._request.app.state.house.database.clock.seconds()
        name, seconds = found.get("SubjectNameID"), _seconds(found, now)
        if not isinstance(name, str) or seconds < 1:
            raise refused()
        return seconds, name, str(found["acr"])

    async def _person(self, token: str) -> Professional:
        """Who, and what they practise today."""
        reply = await calls.ask((await self._provider.addresses()).userinfo, authorization=f"Bearer {token}")
        if reply.status == 401:
            raise refused()
        if reply.status != 200:
            raise NotAnswered("The provider does not say who it is.")
        return identity.professional(reply.content)


def _seconds(found: dict[str, Any], now: float) -> int:
    expires = found.get("exp")
    if isinstance(expires, bool) or not isinstance(expires, int | float):
        return 0
    return int(expires - now)


def refused() -> InvalidRequest:
    """One text for every reason (RFC 8693 §2.2.2)."""
    return InvalidRequest("The subject_token is not valid here.")
