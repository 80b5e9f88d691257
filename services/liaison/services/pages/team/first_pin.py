"""Choosing a first PIN, on a phone of the service, with the eight digits from the manager."""

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.people import accounts, first_codes
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.entering import LONGEST, before_sign_in, enter, note_refusal, on_enrolled_phone
from liaison.services.pages.factors.keys import note_change
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render


async def first_pin(request: Request) -> Response:
    """The form, and its answer. Not on a phone of the service: the page says so, and takes nothing."""
    with faults.reported():
        enrolled = await on_enrolled_phone(request)
    if request.method == "GET" or not enrolled:
        return _form(request, enrolled=enrolled, status=200 if request.method == "GET" else 403)
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    username, pin = form.get("identifiant", ""), form.get("pin", "")
    if accounts.pin_problem(pin):
        return _form(request, username=username, error=gettext("Choisissez 6 chiffres qui ne se devinent pas."))
    if pin != form.get("encore", ""):
        return _form(request, username=username, error=gettext("Les deux codes ne sont pas les mêmes."))
    house = request.app.state.house
    with faults.reported():
        try:
            here = bool(username) and await on_enrolled_phone(request, username)
            account = await first_codes.check(house.database.writing, username, form.get("code", ""), here=here)
            async with house.database.writing.acquire() as connection, connection.transaction():
                if not await first_codes.spend(connection, account.number):
                    raise SignInRefused(account.number, account.person.res)
                await accounts.set_secret(connection, account.username, pin=pin)
                await note_change(request, connection, account, Act.FIRST_PIN)
        except SignInRefused as refusal:
            await note_refusal(request, refusal)
            return _form(request, username=username, status=403, error=gettext(
                "L’identifiant ou les 8 chiffres ne sont pas les bons, ou ils ne valent plus. Demandez-en de nouveaux."
            ))  # fmt: skip
    return await enter(request, account, factors=2)


def _form(
    request: Request, *, enrolled: bool = True, username: str = "", error: str = "", status: int = 422
) -> Response:
    before = before_sign_in(request)
    request.state.csrf = before
    shown = status if error or not enrolled else 200
    response = render(request, "team/first_pin.html", status=shown, enrolled=enrolled, username=username, error=error)
    cookies.give(request, response, cookies.BEFORE, before)
    return response
