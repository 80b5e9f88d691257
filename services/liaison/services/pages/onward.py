"""From a form of ours to an address that is not ours: software that gets its answer, Pro Santé Connect.

Chromium applies the `form-action` of a page to every redirect that follows its form, also to those of the others: software
that comes back to one host and goes on to another would stop there, and so would Pro Santé Connect's own way to its wallet.
So a form that leads away is answered with a page that goes on by itself, where the form's way ends. Where it leads away only
later, from the request of a software that one signs in for, the software's address stands among the page's targets; only
where client and redirect address belong together, as anywhere.
"""

from typing import Final
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.oauth2 import rfc9126
from liaison.auth.oauth2.errors import OAuthError
from liaison.auth.oauth2.rfc6749.authorization_request import Answerable, read_request
from liaison.fhir.store import faults
from liaison.services.pages.layout import render

_AUTHORIZE: Final = "/oauth/authorize?"
SEE_OTHER: Final = 303
_KEPT: Final = (b"set-cookie", b"clear-site-data")


def origin(redirect_uri: str) -> str:
    """A redirect address as a form's target is written."""
    parts = urlsplit(redirect_uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"


async def software_of(request: Request, follow: str) -> tuple[str, ...]:
    """The origin of the software that `follow`, a page of ours, leads on to; () for any other page."""
    if not follow.startswith(_AUTHORIZE):
        return ()
    house, pairs = request.app.state.house, parse_qsl(follow.removeprefix(_AUTHORIZE), keep_blank_values=True)
    try:
        with faults.reported():
            whole, _ = await rfc9126.unfold(house.database.reading, house.vault.territory, pairs)
            asked = await read_request(house.database.reading, whole, house.settings.fhir_base)
    except Answerable as refused:
        return (origin(refused.redirect_uri),)
    except OAuthError:
        return ()
    return (origin(asked.redirect_uri),)


def away(request: Request, response: Response) -> Response:
    """The answer to a form; one that leads away becomes a page which goes there at once.

    A redirect stays one for addresses of an app on this device, which a page may not open unasked, and for what is no
    browser of today: all of those say that they navigate (Fetch Metadata).
    """
    location = response.headers.get("location", "")
    if (
        request.method != "POST"
        or response.status_code != SEE_OTHER
        or not location.startswith(("https://", "http://"))
        or request.headers.get("sec-fetch-mode") != "navigate"
    ):
        return response
    page = render(request, "onward.html", target=location, host=urlsplit(location).netloc, me=None, csrf="")
    page.raw_headers += [header for header in response.raw_headers if header[0] in _KEPT]
    return page
