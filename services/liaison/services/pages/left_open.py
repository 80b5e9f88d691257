"""A form that was left open until its session ended, until another began, or until its proof was too old for what it asks:
nothing is recorded, nothing is lost.

A session that is over: what was typed is kept sealed for an hour, for the same account alone, and the page asks to sign in.
A session of now: the page shows what was typed. In both cases it is sent again at one touch, in the name of whoever is
signed in, and the record decides as ever. Secrets that were typed are not kept. What did not surely come from a page of
ours is not taken up at all.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

import orjson
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.people import browsers, kept_forms
from liaison.auth.people.browsers import Browser
from liaison.fhir.errors import NotFound
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.form_tokens import token_of
from liaison.services.pages.layout import confine, render
from liaison.services.pages.signed_in import browser_of, signed_in

ADDRESS: Final = "/reprise"
MOST_LETTERS: Final = 128 * 1024
_NOT_KEPT: Final = frozenset({"csrf", "secret", "encore", "totp", "pin"})
_WRITTEN: Final = (
    *("note", "instruction", "reason", "answer", "value"),
    *("prenom", "nom", "rpps", "personne", "identifiant", "fin", "libelle"),
)
"""The fields in which people write sentences or numbers: shown again, so that they see what they send."""
_BEGUN_AGAIN: Final = {"/role": "/role", "/territoire/entrer": "/territoire"}
"""Forms of who is to be signed in, and where one finds them anew."""
_NEVER: Final = (
    "/oauth/",
    "/connexion",
    "/role",
    "/deconnexion",
    "/confirmer",
    "/ma-securite",
    "/mes-connexions",
    "/territoire/",
    "/premier-acces/",
    "/telephones",
    "/equipe",
    "/premier-code",
    "/administration/",
    "/acces-retablis",
    "/psc/",
)
"""What is begun again rather than sent again, in another session: who signs in, what software and phones may do."""

Fields = Sequence[tuple[str, str]]


async def show(request: Request) -> Response:
    """The page for a form that is not of this session."""
    same_origin = request.headers.get("sec-fetch-site") == "same-origin"
    browser = await browser_of(request)
    if same_origin and (anew := _anew(request.url.path, browser is not None)):
        return confine(request, RedirectResponse(anew, status_code=303))
    given = token_of(str((await request.form()).get("csrf", "")))
    fields = await _fields(request)
    taken_up = fields and not request.url.path.startswith(_NEVER)
    if browser is not None:
        if browser.caller.role_code:
            await signed_in(request)  # for the header: in whose name it would be sent
        return _again(request, _address(request), fields if taken_up and same_origin else (), 403)
    handle = await _keep(request, given, fields) if taken_up else ""
    follow = f"{ADDRESS}/{handle}" if handle else "/"
    # Not to be bound to an account: shown once more instead, to the browser that has just sent it, to be copied.
    written = _written(fields) if taken_up and same_origin and not handle else []
    return render(
        request,
        "left_open.html",
        status=403,
        over=True,
        kept=bool(handle),
        follow=quote(follow, safe=""),
        fields=(),
        written=written,
    )


async def until_proven(request: Request, browser: Browser, back: str) -> str:
    """Where a form that asks for a more recent proof is found once that is given, in the same session; `back`, the page
    that it stood on, when there is nothing to keep of it."""
    fields = await _fields(request)
    if not fields:
        return back
    house = request.app.state.house
    form = orjson.dumps([_address(request), fields, back])
    with faults.reported():
        async with house.database.writing.acquire() as connection:
            handle = await kept_forms.keep(connection, house.vault.territory, browser.account.number, form)
    return f"{ADDRESS}/{handle}"


async def _fields(request: Request) -> Fields:
    """What may be kept of a form; nothing of one that is too large."""
    fields = [(name, str(value)) for name, value in (await request.form()).multi_items() if name not in _NOT_KEPT]
    return fields if sum(len(name) + len(value) for name, value in fields) <= MOST_LETTERS else ()


def _anew(path: str, signed_in_: bool) -> str:
    """Where a form about signing in is found again: whoever signs in twice is in, whoever signs out twice is out."""
    if path in ("/connexion", "/deconnexion"):
        return "/connexion" if path == "/connexion" or not signed_in_ else ""
    return path if path.startswith("/premier-acces/") else _BEGUN_AGAIN.get(path, "")


async def _keep(request: Request, given: str, fields: Fields) -> str:
    house, cookie = request.app.state.house, cookies.read(request, cookies.SESSION)
    if not cookie:
        return ""
    with faults.reported():
        async with house.database.writing.acquire() as connection:
            account = await browsers.owner_of_form(connection, cookie, given)
            if account is None:
                return ""
            form = orjson.dumps([_address(request), fields])
            return await kept_forms.keep(connection, house.vault.territory, account, form)


async def resume(request: Request) -> Response:
    """What was kept, to be sent again by its owner."""
    _, me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        kept = await kept_forms.find(
            house.database.reading, house.vault.territory, me.account.number, request.path_params["handle"]
        )
    if kept is None:
        raise NotFound
    path, fields, *more = orjson.loads(kept)
    return _again(request, path, [(name, value) for name, value in fields], 200, more[0] if more else "")


def _again(request: Request, path: str, fields: Fields, status: int, back: str = "") -> Response:
    """`back`: the page where it was asked for, by a form of this session whose owner has proven who they are since."""
    return render(
        request,
        "left_open.html",
        status=status,
        over=False,
        back=back,
        target=path,
        fields=fields,
        written=_written(fields),
    )


def _written(fields: Fields) -> list[str]:
    named = dict(fields)
    return [named[name] for name in _WRITTEN if named.get(name, "").strip()]


def _address(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
