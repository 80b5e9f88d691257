"""The cookies of the pages: for this host alone, out of reach of scripts, never sent along by another site's form.

`__Host-` (RFC 6265bis §4.1.3.2) keeps other hosts of the domain from planting one; browsers accept it over https only,
so a sandbox on plain http does without the prefix.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "liaison"
BEFORE: Final = "liaison-before"
"""Holds a random value before anyone is signed in, so that the sign-in form itself cannot be forged."""
STEP: Final = "liaison-step"
"""Names the sign-in of which this browser has done the first half."""
CHALLENGE: Final = "liaison-challenge"
"""Names the challenge that a passkey is to answer."""
ASKED: Final = "liaison-asked"
"""Binds what a software's request has asked of its owner to this browser."""
PHONE: Final = "liaison-phone"


def secure(request: Request) -> bool:
    """Whether browsers reach the service by https, as it says of itself: a proxy may speak plain http to it."""
    public_url: str = request.app.state.house.settings.public_url
    return public_url.startswith("https://")


def name(request: Request, cookie: str) -> str:
    return f"__Host-{cookie}" if secure(request) else cookie


def read(request: Request, cookie: str) -> str:
    """The value, or ''."""
    return request.cookies.get(name(request, cookie), "")


def give(request: Request, response: Response, cookie: str, value: str, *, seconds: int | None = None) -> None:
    """`seconds` None: until the browser is closed. The server's own row ends a session in any case."""
    response.set_cookie(
        name(request, cookie),
        value,
        max_age=seconds,
        path="/",
        secure=secure(request),
        httponly=True,
        samesite="lax",  # strict would lose the session on the way back from a partner's software
    )


def take(request: Request, response: Response, cookie: str) -> None:
    response.delete_cookie(name(request, cookie), path="/", secure=secure(request), httponly=True, samesite="lax")
