"""An address that is none: the page that says so, with the headers that every page has."""

from contextlib import suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import FhirError
from liaison.services.pages.entering import local
from liaison.services.pages.layout import confine
from liaison.services.pages.page import refusal
from liaison.services.pages.signed_in import RoleNeeded, SignInNeeded, signed_in


def around_pages(app: Starlette) -> Starlette:
    """The same application, which answers unknown addresses and methods with a page."""
    # Starlette's own redirects name the scheme and host that the request claims; ours name neither.
    app.router.redirect_slashes = False
    app.add_exception_handler(404, nowhere)
    app.add_exception_handler(405, nowhere)
    return app


async def nowhere(request: Request, error: Exception) -> Response:
    """The refusal, with the name and role of whoever is signed in; or the same address without its last slash, where one
    was typed."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    path = request.url.path
    if status == 404 and request.method in ("GET", "HEAD") and len(path) > 1 and path.endswith("/"):
        query = f"?{request.url.query}" if request.url.query else ""
        return confine(request, RedirectResponse(local(path.rstrip("/") + query), status_code=307))
    with suppress(SignInNeeded, RoleNeeded, FhirError):  # then it is the page of nobody
        await signed_in(request)
    answer = refusal(request, status)
    if status == 405 and isinstance(error, HTTPException) and error.headers:
        answer.headers["allow"] = error.headers["Allow"]  # RFC 9110 §15.5.6 asks for it
    return answer
