"""The page of the telephone: a frame without anybody's data, which its service worker starts without a network.

Its scripts are in telephone_app/, bundled into static/telephone/; what they ask of the service is in `telephone`.
"""

import hashlib
import json
from functools import cache
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from liaison.protocols import library
from liaison.protocols.forms import FORM, arranged, canonical
from liaison.services.delivery import opposing
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import STATIC, confine, render, static_url
from liaison.services.pages.marking import _
from liaison.services.pages.opposing.opposing import ACTS, MEANS
from liaison.services.pages.opposing.stops import ALWAYS
from liaison.services.pages.page import page

PAGE: Final = "/telephone"
_MANIFEST: Final = "/telephone/manifest.webmanifest"
_OUR_SERVICE: Final = _("À ce que notre service voie son dossier")
_FILES: Final = ("telephone/app.js", "liaison.css", "icon.svg")


async def show(request: Request) -> Response:
    daily = library.shipped().tree(FORM)
    return render(
        request,
        "home_care/telephone.html",
        me=None,
        form=arranged(daily),
        asked=canonical(daily),
        acts=[(code, _OUR_SERVICE if code == "service" else words) for code, words in ACTS],
        means=[(code, words) for code, words in MEANS if code in opposing.MEANS],
        stops=ALWAYS,
    )


async def manifest(request: Request) -> Response:
    """W3C Web Application Manifest: what lets a browser put the page among the telephone's own applications."""
    return confine(request, JSONResponse(_manifest(language_of(request)), media_type="application/manifest+json"))


def _manifest(language: str) -> dict[str, object]:
    say = translations(language).gettext
    return {
        "id": PAGE,
        "name": say(_("Liaison : ma tournée")),
        "short_name": "Liaison",
        "lang": language,
        "start_url": PAGE,
        "scope": PAGE,
        "display": "standalone",
        "theme_color": "#0b5c63",
        "background_color": "#ffffff",
        "icons": [{"src": static_url("icon.svg"), "sizes": "any", "type": "image/svg+xml"}],
    }


async def service_worker(request: Request) -> Response:
    """The list of what the page is made of, each with its digest, and behind it the script that puts it by. Other bytes are a new
    version for the browser: so every change of the page is."""
    shown = await show(request)
    files = [
        {"url": PAGE, "revision": _digest(bytes(shown.body))},
        {"url": _MANIFEST, "revision": _digest(json.dumps(_manifest(language_of(request))).encode())},
        *({"url": static_url(name), "revision": None} for name in _FILES),
    ]
    answer = Response(f"self.LIAISON_FILES = {json.dumps(files)};\n{_script()}", media_type="text/javascript")
    # The page stands one level above the script (W3C Service Workers, §4.3: the script says itself how far it may reach).
    answer.headers["service-worker-allowed"] = PAGE
    return confine(request, answer)


@cache
def _script() -> str:
    return (STATIC / "telephone/service_worker.js").read_text()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def routes() -> list[BaseRoute]:
    return [
        page(PAGE, show),
        Route(_MANIFEST, manifest, methods=["GET"]),
        Route("/telephone/service-worker.js", service_worker, methods=["GET"]),
    ]
