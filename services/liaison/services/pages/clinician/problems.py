"""A problem of health, noted on its page by who has no software for it: what it is, how sure it is, and since when; those that are
closed are listed below.

The common ones of the programmes carry their ICD-10 code, which a plan or another software goes by; any other is kept in words.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.services.pages.clinician.dossier import patient_or_404
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.states import in_error, refuted
from liaison.services.pages.signed_in import Me

Tree = dict[str, Any]
_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
CLINICAL: Final = f"{_TERMINOLOGY}/condition-clinical"
_ICD_10: Final = "http://hl7.org/fhir/sid/icd-10"
KNOWN: Final = {
    "J44.9": _("BPCO"),
    "J44.1": _("Exacerbation de BPCO"),
    "I50.9": _("Insuffisance cardiaque"),
    "E11.9": _("Diabète de type 2"),
}
CERTAIN: Final = {"provisional": _("Provisoire, à confirmer"), "confirmed": _("Confirmé")}
LONGEST: Final = 200


class NotSaid(ValueError):
    """What is missing, in words to be translated, and in which field."""

    def __init__(self, words: str, field: str) -> None:
        super().__init__(words)
        self.field = field


async def problems(request: Request) -> Response:
    place = await own_place(request)
    patient = await patient_or_404(place.record, place.id)
    form: Mapping[str, str] = {}
    error, wrong, status = "", "", 200
    if request.method == "POST":
        form = {name: str(value).strip() for name, value in (await request.form()).items()}
        try:
            await place.record.create(condition(form, place.id, place.me, place.record.now()))
            return RedirectResponse(f"{place.path}#problemes", status_code=303)
        except NotSaid as problem:
            error, wrong, status = str(problem), problem.field, 422
    over = {"patient": f"Patient/{place.id}", "clinical-status": "resolved,inactive,remission", "_count": "100"}
    return render(
        request,
        "clinician/problem.html",
        status=status,
        place=place,
        patient=patient,
        who=identity(patient),
        closed=[
            one for one in await place.record.found("Condition", over, most=100) if not (refuted(one) or in_error(one))
        ],
        today=place.record.now().date(),
        known=KNOWN,
        certain=CERTAIN,
        longest=LONGEST,
        given=form,
        error=translations(language_of(request)).gettext(error) if error else "",
        wrong=wrong,
    )


def condition(form: Mapping[str, str], patient: str, me: Me, now: datetime) -> Tree:
    """What the form says, signed by whoever fills it in. Raises NotSaid."""
    code, words = form.get("code", ""), form.get("words", "")
    if code not in KNOWN and not 0 < len(words) <= LONGEST:
        raise NotSaid(_("Choisissez un problème, ou écrivez-le en 200 caractères au plus."), "words")
    if form.get("certain") not in CERTAIN:
        raise NotSaid(_("Dites si c’est confirmé."), "certain-provisional")
    try:
        since = date.fromisoformat(form["since"]) if form.get("since") else None
    except ValueError:
        since = date.max
    if since is not None and since > now.date():
        raise NotSaid(_("Donnez le jour : aujourd'hui, ou avant."), "since")
    tree: Tree = {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": f"{_TERMINOLOGY}/condition-ver-status", "code": form["certain"]}]},
        "category": [{"coding": [{"system": f"{_TERMINOLOGY}/condition-category", "code": "problem-list-item"}]}],
        "code": {"text": words or KNOWN[code]},
        "subject": {"reference": f"Patient/{patient}"},
        "recordedDate": now.isoformat(timespec="seconds"),
        "recorder": {"reference": me.role_reference or me.person, "display": me.name},
    }
    if code in KNOWN:
        tree["code"]["coding"] = [{"system": _ICD_10, "code": code, "display": KNOWN[code]}]
    return {**tree, "onsetDateTime": since.isoformat()} if since else tree
