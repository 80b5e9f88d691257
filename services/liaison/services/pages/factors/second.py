"""The second half of a sign-in that began with a password: a code, or a passkey."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.people import accounts, ceremonies, passkeys, second_factor
from liaison.auth.people.accounts import Account
from liaison.auth.people.sign_in import SignInRefused
from liaison.fhir.store import faults
from liaison.services.pages import cookies
from liaison.services.pages.entering import LONGEST, before_sign_in, enter, go, local, note_refusal
from liaison.services.pages.layout import render
from liaison.services.pages.onward import software_of
from liaison.services.pages.page import to_sign_in

PATH = "/connexion/code"


async def ask_second(request: Request, account: Account, follow: str) -> Response:
    """Leads on to the second factor. The browser holds nothing yet but the name of what it is in the middle of."""
    async with request.app.state.house.database.writing.acquire() as connection:
        step = await ceremonies.begin(connection, "second", account.number)
    response = go(request, f"{PATH}?suite={quote(follow, safe='')}")
    cookies.give(request, response, cookies.STEP, step)
    return response


async def second(request: Request) -> Response:
    """The form, and its answer. Out of time, or in another browser: from the beginning."""
    house = request.app.state.house
    step = cookies.read(request, cookies.STEP)
    with faults.reported():
        number = await ceremonies.account_of(house.database.reading, step, "second")
        account = await accounts.by_number(house.database.reading, number) if number else None
    if account is None or not account.active:
        return to_sign_in(request)
    if request.method == "GET":
        return await _form(request, account, local(request.query_params.get("suite", "/")))
    form = await request.form()
    follow = local(str(form.get("suite", "/")))
    code = str(form.get("code", ""))[:LONGEST].replace(" ", "")
    with faults.reported():
        try:
            await second_factor.check(house.database.writing, house.vault, account, code)
        except SignInRefused as refusal:
            await note_refusal(request, refusal)
            return await _form(request, account, follow, refused=True)
        if await ceremonies.finish(house.database.writing, step, "second") != account.number:
            return to_sign_in(request)
    return await enter(request, account, follow, factors=2)


async def _form(request: Request, account: Account, follow: str, *, refused: bool = False) -> Response:
    house = request.app.state.house
    before = before_sign_in(request)
    request.state.csrf = before
    with faults.reported():
        factors = await second_factor.factors_of(house.database.reading, account.number)
    response = render(
        request,
        "factors/second.html",
        status=403 if refused else 200,
        form_targets=await software_of(request, follow),
        follow=follow,
        refused=refused,
        codes=factors.codes,
        passkeys=factors.passkeys > 0 and passkeys.site_of(house.settings.public_url) is not None,
    )
    cookies.give(request, response, cookies.BEFORE, before)
    return response
