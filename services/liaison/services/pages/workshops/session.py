"""One session: its list, whom to put on it, and who came, in one touch each."""

from typing import Any, Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.caller import Caller
from liaison.protocols import codes
from liaison.protocols.workshops import Session, educators, is_reached, without_educator
from liaison.services.messages.wording import SUBJECT, notice
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.signed_in import Me, address_of, signed_in
from liaison.services.pages.workshops import acting, agenda, educating, lists, mailing
from liaison.services.pages.workshops.acting import NotDone

Tree = dict[str, Any]
_FASTER: Final = _(
    "Quelqu’un d’autre vient de changer cette séance : voici ce qu’il en est. Vérifiez, puis recommencez."
)
_NOT_YOURS: Final = _("La structure qui tient cette séance en tient aussi la liste : demandez-lui.")


async def session(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    held, schedule = await agenda.one(record, request.path_params["slot"])
    if request.method == "GET":
        return await _show(request, caller, record, (held, schedule), me)
    form = await request.form()
    given = {name: str(value) for name, value in form.items()}
    gettext = translations(language_of(request)).gettext
    try:
        match given.get("act"):
            case "enrol":
                chosen = [str(one) for one in form.getlist("step")]
                await acting.enrol(request, caller, record, held, schedule, chosen)
            case "came" | "missed" | "given-up":
                await acting.answer(record, held, me, given)
            case "enrol-name":
                await acting.enrol_by_name(request, caller, record, held, schedule, given.get("patient", ""))
            case "transport" | "first-name":
                await acting.note(record, held, given)
            case "finish":
                await acting.finish(record, held, me, given)
            case "goal":
                await acting.reach(record, held, given.get("goal", ""))
            case "educator":
                await acting.name(record, held, me, schedule, given.get("educator", ""))
            case "no-educator":
                await record.update(without_educator(schedule, given.get("educator", "")))
            case "convoke":
                await _convoke(request, caller, record, held, me)
            case "cancel":
                house, listed = request.app.state.house, await lists.listed(record, held)
                await mailing.call_off(house, listed, held)
                await acting.cancel(record, held, given.get("reason", "").strip()[:200])
                await mailing.call_off(house, listed, held)
            case _:
                raise NotDone(_("Choisissez ce qu’il faut faire."))
    except NotDone as problem:
        return await _show(request, caller, record, (held, schedule), me, gettext(str(problem)), 422)
    except Refused as refused:
        if refused.answered not in (403, 409, 412):
            raise
        words = _NOT_YOURS if refused.answered == 403 else _FASTER
        shown = await agenda.one(record, held.id)
        return await _show(request, caller, record, shown, me, gettext(words), refused.answered)
    return RedirectResponse(f"/seances/{held.id}", status_code=303)


async def _convoke(request: Request, caller: Caller, record: Record, held: Session, me: Me) -> None:
    if _kept_by(held) != me.organization_reference:
        raise NotDone(_NOT_YOURS)
    if held.cancelled or held.start <= record.now() or not mailing.sends(request.app.state.house):
        raise NotDone(_("Il n’y a plus de convocation à envoyer pour cette séance."))
    if not await mailing.convoke(request, caller, await lists.listed(record, held), held):
        raise NotDone(_("Tous ceux qui ont une adresse e-mail sont déjà prévenus."))


async def _show(
    request: Request,
    caller: Caller,
    record: Record,
    shown: tuple[Session, Tree],
    me: Me,
    error: str = "",
    status: int = 200,
) -> Response:
    held, schedule = shown
    listed = await lists.listed(record, held)
    house = request.app.state.house
    convoked = await mailing.became(house, listed, held)
    taken = (await agenda.taken(request, caller, [held.id]))[held.id]
    ours = _kept_by(held) == me.organization_reference
    room = ours and not held.cancelled and taken < held.capacity
    return render(
        request,
        "workshops/session.html",
        status=status,
        session=held,
        listed=listed,
        taken=taken,
        hidden=taken - len(listed),
        proposed=await lists.proposed(record, held) if room and not me.bare else [],
        name=(name := request.query_params.get("nom", "").strip()[:80]),
        matches=await lists.named(record, held, name) if name and room and me.bare else [],
        room=room,
        ours=ours,
        begun=held.start <= record.now(),
        over=(over := held.end <= record.now()),
        educators=educators(schedule),
        to_name=await educating.known(record, held) if ours and not (me.bare or over or held.cancelled) else [],
        is_reached=is_reached,
        written_to=lambda mailbox: _mail(mailbox, house.settings.public_url),
        convoked=convoked,
        sends=mailing.sends(house),
        to_convoke=mailing.to_write_to(listed, convoked) if ours and mailing.sends(house) else [],
        error=error,
    )


def _mail(mailbox: str, url: str) -> str:
    """What the reader's own software writes: that something waits, and nothing of what (RFC 6068)."""
    return f"mailto:{quote(mailbox, safe='@')}?subject={quote(SUBJECT)}&body={quote(notice(url))}"


def _kept_by(held: Session) -> str:
    told = (
        one.get("valueReference") or {} for one in held.slot.get("extension", ()) if one.get("url") == codes.KEPT_BY
    )
    return next((str(one.get("reference", "")) for one in told), "")
