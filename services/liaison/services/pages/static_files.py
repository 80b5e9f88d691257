"""The bundled files of the pages (style, icon, scripts). Addresses carry a digest, so browsers may keep them for ever."""

import mimetypes
from functools import cache
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from liaison.services.pages.layout import STATIC

ICON: Final = "icon.svg"
"""Also where a browser looks without being told to, beside what is no page: an answer of the API, a document."""


@cache
def _files() -> dict[str, tuple[bytes, str]]:
    # Read once, and served from this list only: no path of a request ever reaches the file system.
    return {
        file.relative_to(STATIC).as_posix(): (
            file.read_bytes(),
            mimetypes.guess_type(file.name)[0] or "application/octet-stream",
        )
        for file in STATIC.rglob("*")
        if file.is_file()
    }


async def serve(request: Request) -> Response:
    """A bundled file, or 404. No folder listing, no file outside the bundle."""
    found = _files().get(request.path_params.get("name", ICON))
    if found is None:
        raise HTTPException(404)  # which has its page
    content, media_type = found
    kept = "public, max-age=31536000, immutable" if "v" in request.query_params else "no-cache"
    return Response(
        content, media_type=media_type, headers={"cache-control": kept, "x-content-type-options": "nosniff"}
    )


def routes() -> list[Route]:
    return [Route("/static/{name:path}", serve, methods=["GET"]), Route("/favicon.ico", serve, methods=["GET"])]
