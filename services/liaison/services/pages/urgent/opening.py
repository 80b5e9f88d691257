"""Accès d'urgence: who the person is, then in which role and why. One neutral answer to whatever is refused.

A sign-in older than half an hour is proven again, in the same form. What is typed is in no address and no log.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import urgent_sessions
from liaison.auth.access.emergency import KIND
from liaison.fhir.store.contract import Tree
from liaison.services.pages import cookies
from liaison.services.pages.clarifying.waiting import waiting
from liaison.services.pages.factors.again import prove, what_to_ask
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reception.person import Incomplete, matricule, patient
from liaison.services.pages.reception.too_many import too_many, until_then
from liaison.services.pages.reception.welcome import KINDS, MISSING, SEXES, parameters
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import SignInNeeded, address_of, browser_of, signed_in

_TRAITS: Final = ("birth", "family", "given", "sex", "birthplace")
NEUTRAL: Final = _(
    "Aucun accès ne peut être ouvert sous cette identité. Vérifiez le matricule ou les traits ; la demande est inscrite au journal."
)


async def emergency(request: Request) -> Response:
    browser = await browser_of(request)
    if browser is None:
        raise SignInNeeded
    if request.method == "GET":
        return await _show(request, {})
    form = {name: str(value).strip() for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    cookie = ""
    if not browser.recent:
        proofs = {name: form.pop(name, "") for name in ("secret", "totp")}
        if not any(proofs.values()):
            return await _show(request, form, _("Prouvez une fois de plus que c'est vous."), 403)
        cookie = await prove(request, browser, proofs)
        if not cookie:
            refused = _("Ce n’est pas le bon code ou mot de passe, ou il y a eu trop d’essais.")
            return await _show(request, form, refused, 403)
    response = await _open(request, form, gettext)
    if cookie:
        cookies.give(request, response, cookies.SESSION, cookie)
    return response


async def _open(request: Request, form: dict[str, str], gettext: Any) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    try:
        body = parameters(patient=stated(form))
    except Incomplete as missing:
        return await _show(request, form, MISSING[missing.said], 400, proven=True)
    if len(form.get("reason", "")) < 10:
        return await _show(request, form, _("Écrivez le motif en une phrase."), 400, proven=True)
    body["parameter"].append({"name": "reason", "valueString": form["reason"]})
    try:
        answer = await record.operate("Patient/$emergency-access", body)
    except Refused as refused:
        words = _words(gettext, refused)
        return until_then(await _show(request, form, words, refused.answered, proven=True), refused)
    if any(part["name"] == "also" for part in answer["parameter"]):
        return RedirectResponse("/urgence?plusieurs=1", status_code=303)
    task = next(part for part in answer["parameter"] if part["name"] == "task")["valueReference"]["reference"]
    return RedirectResponse(f"/urgence/{task.partition('/')[2]}", status_code=303)


def stated(form: dict[str, str]) -> Tree:
    """The identity: the INS alone, or the traits with or without it. Raises Incomplete."""
    if form.get("ins") and not any(form.get(name) for name in _TRAITS):
        return {"resourceType": "Patient", "identifier": [matricule(form)]}
    return patient(form)


def _words(gettext: Callable[[str], str], refused: Refused) -> str:
    """Unknown, opposed, not fitting: the same words."""
    match refused.answered:
        case 404:
            return NEUTRAL
        case 429:
            return f"{too_many(gettext, refused)} {gettext(_('En cas d’urgence vitale, appelez le 15.'))}"
        case 400:
            return _("Une information manque ou n'est pas acceptable.")
    raise refused


async def _show(
    request: Request, form: dict[str, str], error: str = "", status: int = 200, *, proven: bool = False
) -> Response:
    gettext = translations(language_of(request)).gettext
    browser = None if proven else await browser_of(request)
    given = {"ins_kind": "10" if getattr(request.app.state, "sandbox", False) else "8", **form}
    return render(
        request,
        "urgent/emergency.html",
        status=status,
        opened=await _opened(request),
        questions=await waiting(request),
        ended=request.query_params.get("fin") == "1" and request.method == "GET",
        several=request.query_params.get("plusieurs") == "1" and request.method == "GET",
        given=given,
        sexes=SEXES,
        kinds=KINDS,
        again=None if browser is None or browser.recent else await what_to_ask(request, browser),
        error=gettext(error) if error else "",
    )


async def _opened(request: Request) -> list[tuple[str, Identity, datetime]]:
    """(task, who, until when) of my accesses that are open, so that one is found again after another page."""
    caller, _me = await signed_in(request)
    engine = request.app.state.house.engine
    found = []
    for task, urgent in await urgent_sessions.open_now(engine.store, caller, *KIND, engine.base_url):
        person = await Record(engine, urgent, address_of(request)).read(str(task["for"]["reference"]))
        if person is not None:
            found.append((task["id"], identity(person), datetime.fromisoformat(task["restriction"]["period"]["end"])))
    return found
