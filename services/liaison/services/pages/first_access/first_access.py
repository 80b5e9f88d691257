"""The way in of a new account, by its one-time link: a passkey, else a password. Showing the page spends nothing; a link
that is no longer good says only so."""

import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.people import accounts, invitations, passkeys, passwords
from liaison.auth.people.accounts import Account
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.entering import enter
from liaison.services.pages.factors.keys import note_change
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render


async def first_access(request: Request) -> Response:
    """GET: the form, for a link that is good. POST: the password is set, the link is spent, and its owner is in."""
    token = str(request.path_params["token"])[:100]
    house = request.app.state.house
    with faults.reported():
        number = await invitations.account_of(house.database.reading, token)
        account = await accounts.by_number(house.database.reading, number) if number else None
    if account is None:
        return _spent(request)
    if request.method == "GET":
        return _form(request, account, ())
    form = await request.form()
    password, again = str(form.get("secret", ""))[: passwords.LONGEST], str(form.get("encore", ""))[: passwords.LONGEST]
    problem = _problem(request, account, password, again)
    if problem:
        return _form(request, account, (problem,))
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            if await invitations.spend(connection, token) != account.number:
                return _spent(request)
            await accounts.set_secret(connection, account.username, password=password)
            await note_change(request, connection, account, Act.PASSWORD)
    return await enter(request, account)


def _problem(request: Request, account: Account, password: str, again: str) -> str:
    """What is wrong with the two that were typed, or ''."""
    gettext = translations(language_of(request)).gettext
    if passwords.too_short(password):
        return gettext("Le mot de passe a au moins %(count)s caractères.") % {"count": passwords.SHORTEST}
    if passwords.too_common(password, account.username):
        return gettext("Ce mot de passe est de ceux que l’on essaie en premier. Prenez une phrase à vous.")
    if password != again:
        return gettext("Les deux mots de passe ne sont pas les mêmes.")
    return ""


def _form(request: Request, account: Account, problems: Sequence[str]) -> Response:
    before = cookies.read(request, cookies.BEFORE) or secrets.token_urlsafe(16)
    request.state.csrf = before
    response = render(
        request,
        "first_access/choose.html",
        status=422 if problems else 200,
        username=account.username,
        problems=problems,
        shortest=passwords.SHORTEST,
        passkeys=passkeys.site_of(request.app.state.house.settings.public_url) is not None,
    )
    cookies.give(request, response, cookies.BEFORE, before)
    return response


def _spent(request: Request) -> Response:
    gettext = translations(language_of(request)).gettext
    return render(
        request,
        "message.html",
        status=404,
        heading=gettext("Ce lien n’est plus bon"),
        sentences=[gettext("Un lien de premier accès sert une fois, pendant 24 heures. Demandez-en un autre.")],
    )
