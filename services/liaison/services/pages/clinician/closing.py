"""A problem of health that is over: closed on its day, and taken up again where that was a mistake.

Who amended it, and when, is told by the Provenance that the engine writes: none of one's own entry of less than 24 hours.
"""

from datetime import date, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.fhir.errors import NotFound
from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.clinician.problems import CLINICAL, NotSaid
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.states import in_error, refuted, stands

Tree = dict[str, Any]
_ENDS: Final = ("abatementDateTime", "abatementAge", "abatementPeriod", "abatementRange", "abatementString")


async def problem(request: Request) -> Response:
    """Who may amend one is decided by the engine. What is closed already stays closed on the day that was told first."""
    place = await own_place(request)
    patient = await patient_or_404(place.record, place.id)
    found = await place.record.read(f"Condition/{request.path_params['condition']}")
    if found is None or found["subject"].get("reference") != f"Patient/{place.id}" or refuted(found) or in_error(found):
        raise NotFound
    form: dict[str, str] = {}
    error = ""
    if request.method == "POST":
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        try:
            if form.get("act") == "reopen" and not stands(found):
                await place.record.update(reopened(found))
            elif form.get("act") == "close" and stands(found):
                await place.record.update(closed(found, form.get("until", ""), place.record.now()))
            return RedirectResponse(f"{place.path}/problemes/{found['id']}", status_code=303)
        except NotSaid as missing:
            error = str(missing)
    return render(
        request,
        "clinician/closing.html",
        status=422 if error else 200,
        place=place,
        patient=patient,
        who=identity(patient),
        today=place.record.now().date(),
        problem=found,
        stands=stands(found),
        given=form or {"until": place.record.now().date().isoformat()},
        error=translations(language_of(request)).gettext(error) if error else "",
    )


def closed(condition: Tree, until: str, now: datetime) -> Tree:
    """Over on that day: neither to come, nor before it began. Raises NotSaid."""
    began = str(condition.get("onsetDateTime", ""))[:10]
    try:
        day = date.fromisoformat(until)
    except ValueError:
        day = date.max
    if day > now.date() or day.isoformat()[: len(began)] < began:
        raise NotSaid(_("Donnez le jour de la fin : aujourd’hui ou avant, et pas avant le début."), "until")
    return {**_without_end(condition), "clinicalStatus": _clinical("resolved"), "abatementDateTime": day.isoformat()}


def reopened(condition: Tree) -> Tree:
    return {**_without_end(condition), "clinicalStatus": _clinical("active")}


def _without_end(condition: Tree) -> Tree:
    return {name: value for name, value in condition.items() if name.lstrip("_") not in _ENDS}


def _clinical(code: str) -> Tree:
    return {"coding": [{"system": CLINICAL, "code": code}]}
