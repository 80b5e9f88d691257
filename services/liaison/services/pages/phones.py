"""The phones of a service: its manager enrols the one she holds in her hand, and revokes a lost one in one click.

An enrolled phone is one of the two factors of those who sign in with a PIN; it opens nothing by itself.
"""

from collections.abc import Collection
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.people import phones
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Request as FhirRequest
from liaison.services.pages import cookies
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import confine, render
from liaison.services.pages.marking import _
from liaison.services.pages.page import page
from liaison.services.pages.signed_in import address_of, signed_in

_YEAR: Final = 365 * 86400
CHECKS: Final = {
    "verrou": _("Il se verrouille seul, avec un code."),
    "a-jour": _("Son système et son navigateur sont à jour."),
    "clavier": _("Son clavier n'apprend pas les mots, et la dictée en ligne est coupée."),
    "compte": _("Aucun compte personnel n'est dessus, et rien n'est copié en ligne."),
    "trouve": _("Le numéro du service est collé au dos : qui le trouve appelle."),
}
"""What a manager has looked at on a telephone before it is one of the service's: all of it."""


async def show(
    request: Request, *, problem: str = "", wrong: str = "", typed: str = "", done: Collection[str] = ()
) -> Response:
    caller, _me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        found = await phones.of_organization(house.database.reading, caller.organization)
        here = await phones.find(house.database.reading, cookies.read(request, cookies.PHONE))
    return render(
        request,
        "phones.html",
        status=422 if problem else 200,
        phones=found,
        here=here.number if here else 0,
        checks=CHECKS,
        problem=problem,
        wrong=wrong,
        typed=typed,
        done=done,
    )


async def enrol(request: Request) -> Response:
    """Makes the phone that sends this form one of the service's. The secret is given to that phone alone."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    form = await request.form()
    label, done = str(form.get("libelle", "")).strip()[:40], {str(one) for one in form.getlist("fait")}
    gettext = translations(language_of(request)).gettext
    if not label:
        return await show(request, problem=gettext(_("Donnez un nom à ce téléphone.")), wrong="libelle", done=done)
    if not done >= CHECKS.keys():
        words = gettext(_("Regardez chaque point sur le téléphone, puis cochez-le."))
        return await show(request, problem=words, wrong="fait-verrou", typed=label, done=done)
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            secret = await phones.enrol(connection, caller.organization, label, by=caller.account)
            told = FhirRequest(request.method, "telephones", address=address_of(request))
            await house.journal.record_within(
                connection, (entry(caller, Event.RIGHTS, request=told, detail={"act": Act.PHONE_ENROLLED}),)
            )
    response = confine(request, RedirectResponse("/telephones", status_code=303))
    cookies.give(request, response, cookies.PHONE, secret, seconds=_YEAR)
    return response


async def revoke(request: Request) -> Response:
    """A manager revokes phones of her own service; another's is not found."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    number = str((await request.form()).get("telephone", ""))
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            if _is_number(number) and await phones.revoke(connection, caller.organization, int(number)):
                told = FhirRequest(request.method, "telephones/revoquer", address=address_of(request))
                done = entry(caller, Event.RIGHTS, request=told, detail={"act": Act.PHONE_ENDED, "phone": number})
                await house.journal.record_within(connection, (done,))
    return confine(request, RedirectResponse("/telephones", status_code=303))


def _is_number(text: str) -> bool:
    """Whether it may be a phone's number, which has 62 bits."""
    return text.isascii() and text.isdigit() and len(text) < 20 and int(text) < 2**62


def routes() -> list[Route]:
    async def telephones(request: Request) -> Response:
        return await (enrol if request.method == "POST" else show)(request)

    return [
        page("/telephones", telephones, methods=("GET", "POST"), roles=phones.MANAGERS, proven="/telephones"),
        # No proof: a lost phone is removed at one touch, and nobody gets in by it.
        page("/telephones/revoquer", revoke, methods=("POST",), roles=phones.MANAGERS),
    ]
