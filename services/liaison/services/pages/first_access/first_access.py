"""Choose a password by a one-time link. Showing the page spends nothing; a link that is no longer good says only so."""

import secrets
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.people import accounts
from liaison.auth.people.accounts import SHORTEST_PASSWORD, AccountProblem
from liaison.fhir.store import faults
from liaison.services.custody.founding import use_link, username_of_link
from liaison.services.pages import cookies
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.sign_in import enter
from liaison.services.pages.signed_in import address_of

LONGEST = 1024


async def first_access(request: Request) -> Response:
    """GET: the form, for a link that is good. POST: the password is set, the link is spent, and its owner is in."""
    token = str(request.path_params["token"])[:100]
    house = request.app.state.house
    with faults.reported():
        async with house.database.reading.acquire() as connection:
            username = await username_of_link(connection, token)
    if username is None:
        return _spent(request)
    if request.method == "GET":
        return _form(request, username, ())
    form = await request.form()
    password, again = str(form.get("secret", ""))[:LONGEST], str(form.get("encore", ""))[:LONGEST]
    gettext = translations(language_of(request)).gettext
    if len(password) < SHORTEST_PASSWORD:
        problem = gettext("Le mot de passe a au moins %(count)s caractères.") % {"count": SHORTEST_PASSWORD}
        return _form(request, username, (problem,))
    if password != again:
        return _form(request, username, (gettext("Les deux mots de passe ne sont pas les mêmes."),))
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            try:
                if await use_link(connection, token, password) is None:
                    return _spent(request)
            except AccountProblem as problem:
                return _form(request, username, (str(problem),))
            account = await accounts.by_username(connection, username)
            assert account is not None
            done = Entry(
                Event.RIGHTS,
                person=account.person.res,
                account=account.number,
                address=address_of(request),
                detail={"act": "password by one-time link"},
            )
            await house.journal.record_within(connection, [done])
    return await enter(request, account)


def _form(request: Request, username: str, problems: Sequence[str]) -> Response:
    before = cookies.read(request, cookies.BEFORE) or secrets.token_urlsafe(16)
    request.state.csrf = before
    response = render(
        request,
        "first_access/choose.html",
        status=422 if problems else 200,
        username=username,
        problems=problems,
        shortest=SHORTEST_PASSWORD,
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
