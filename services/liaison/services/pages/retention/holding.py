"""Blocages: records that are not destroyed whatever the terms say, why, since when; placing and lifting one."""

from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.retention import holds
from liaison.auth.retention.holds import NotHeld
from liaison.auth.retention.records import patients_of
from liaison.fhir.store import faults
from liaison.services.house import House
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.retention.planned import LONGEST, decided_by
from liaison.services.pages.retention.planned import PATH as PLANNED
from liaison.services.pages.signed_in import signed_in

PATH: Final = f"{PLANNED}/blocages"


GROUNDS: Final = (
    ("litigation", _("Un litige : les délais s’arrêtent aussi, tant qu’il dure")),
    ("inquiry", _("Une enquête")),
    ("other", _("Une autre raison")),
)
_WRONG: Final = {
    "dossier": _("Ce numéro n’est celui d’aucun dossier."),
    "raison": _("Dites pourquoi : un litige, une enquête ou une autre raison."),
    "motif": _("Donnez le motif, ou la référence de la décision."),
}


class Line(NamedTuple):
    """A hold in force. `records`: the numbers of the record that is held."""

    number: int
    records: str
    ground: str
    since: datetime
    by: str
    why: str


async def holding(request: Request) -> Response:
    """GET: those in force. POST: one more, on the record of `dossier`."""
    if request.method == "GET":
        return await _show(request, {"dossier": request.query_params.get("dossier", "")[:90]})
    caller, me = await signed_in(request)
    house: House = request.app.state.house
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    key = house.store.key("Patient", form.get("dossier", "").removeprefix("Patient/"))
    if key is None:
        return await _show(request, form, "dossier")
    if form.get("raison") not in holds.GROUNDS:
        return await _show(request, form, "raison")
    if not form.get("motif"):
        return await _show(request, form, "motif")
    try:
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                ground, why = form["raison"], form["motif"]
                number = await holds.place(
                    connection, house.vault, key.patient, ground=ground, by=decided_by(me), why=why
                )
                told = {"act": Act.HELD, "ground": ground, "hold": number}
                placed = entry(caller, Event.HOLD, patient=key.patient, request=asked(request), reason=why, detail=told)
                await house.journal.record_within(connection, (placed,))
    except NotHeld:
        return await _show(request, form, "dossier")
    return go(request, PATH)


async def lift(request: Request) -> Response:
    """One that was lifted meanwhile is as good as lifted."""
    caller, me = await signed_in(request)
    house: House = request.app.state.house
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    number = form.get("blocage", "")
    if not form.get("motif"):
        return await _show(request, {}, f"motif-{number}"[:40])
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 18):
            raise NotHeld(number)
        with faults.reported():
            async with house.database.writing.acquire() as connection, connection.transaction():
                patient = await holds.lift(connection, house.vault, int(number), by=decided_by(me), why=form["motif"])
                told = {"act": Act.LIFTED, "hold": int(number)}
                lifted = entry(
                    caller, Event.HOLD, patient=patient, request=asked(request), reason=form["motif"], detail=told
                )
                await house.journal.record_within(connection, (lifted,))
    except NotHeld:
        pass
    return go(request, PATH)


async def _show(request: Request, form: dict[str, str], wrong: str = "") -> Response:
    say = translations(language_of(request)).gettext
    return render(
        request,
        "retention/holding.html",
        status=422 if wrong else 200,
        lines=await _lines(request),
        grounds=GROUNDS,
        ground_words=dict(GROUNDS),
        given=form,
        error=say(_WRONG[wrong.partition("-")[0]]) if wrong else "",
        wrong=wrong,
    )


async def _lines(request: Request) -> list[Line]:
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            looked = entry(caller, Event.JOB, request=asked(request), detail={"act": Act.HOLDS})
            await house.journal.record_within(connection, (looked,))
            found = await holds.in_force(connection, house.vault)
            persons = await patients_of(connection, [one.patient for one in found])
    named: dict[int, list[Any]] = {}
    for key in persons:
        named.setdefault(key.patient, []).append(f"Patient/{house.store.id(key)}")
    return [
        Line(one.number, " ".join(named.get(one.patient, ())), one.ground, one.since, one.by, one.why) for one in found
    ]
