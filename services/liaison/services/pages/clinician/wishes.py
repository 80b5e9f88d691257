"""Accords et oppositions: what the person was told, what they agreed to, what they oppose; and the recording of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import team_writing, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.reading import codes
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reception.welcome import directory
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import writes
from liaison.services.pages.signed_in import Me, address_of, signed_in

Tree = dict[str, Any]


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


KINDS: Final = {
    "information": _("Information donnée"),
    "sharing": _("Accord pour un partage"),
    "opposition": _("Opposition au partage"),
    "emergency-objection": _("Refus de l'accès en urgence"),
    "masking": _("Information masquée"),
    "etp": _("Entrée dans le programme d'éducation"),
}
STATES: Final = {
    "active": _("en vigueur"),
    "proposed": _("en vigueur, à confirmer"),
    "inactive": _("levé"),
    "rejected": _("refusé"),
}
ACTS: Final[tuple[tuple[str, str], ...]] = (
    ("all", _("Elle s'oppose à tout partage")),
    ("one", _("Elle s'oppose à ce que cette personne voie son dossier")),
    ("emergency", _("Elle refuse tout accès en urgence")),
    ("information", _("Elle a été informée de ce qui est partagé, et avec qui")),
)
MEANS: Final = (("oral", _("À l'oral")), ("paper", _("Par écrit, feuille remise")), ("digital", _("En ligne")))
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
_PERSONS: Final = frozenset({"patient", "guardian"})


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded wish or information; `about` names whom it concerns."""

    kind: str
    state: str
    at: datetime | None
    about: list[str]
    text: str


async def wishes(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    if request.method == "GET":
        return await _show(request, record, patient, me, {})
    form = {name: str(value) for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    act, means = form.get("act", ""), form.get("means", "")
    if act not in dict(ACTS) or means not in dict(MEANS) or (act == "one" and not form.get("member")):
        words = gettext(_("Dites ce que la personne a dit, et comment."))
        return await _show(request, record, patient, me, form, words, 400)
    try:
        if act == "information":
            reference = f"Patient/{id_}"
            by = me.role_reference or me.person
            told = team_writing.consent(reference, "information", by, datetime.now(UTC), means, {"type": "permit"})
            await record.create(told)
            return RedirectResponse(f"/dossiers/{id_}/accords", status_code=303)
        await record.operate(f"Patient/{id_}/$oppose", _opposition(act, means, form.get("member", "")))
    except Refused as refused:
        if refused.answered != 403:
            raise
        words = gettext(_("Cela élargirait vos propres droits : un autre membre de l'équipe doit l'enregistrer."))
        return await _show(request, record, patient, me, form, words, 403)
    # The record may be closed to whoever recorded it.
    return RedirectResponse("/dossiers" if act == "all" else f"/dossiers/{id_}/accords", status_code=303)


def _opposition(act: str, means: str, member: str) -> Tree:
    parts: list[Tree] = [{"name": "means", "valueCode": means}]
    if act == "emergency":
        parts.append({"name": "emergency", "valueBoolean": True})
    if act == "one":
        parts.append({"name": "against", "valueReference": {"reference": member}})
    return {"resourceType": "Parameters", "parameter": parts}


async def _show(
    request: Request,
    record: Record,
    patient: Tree,
    me: Me,
    form: Mapping[str, str],
    error: str = "",
    status: int = 200,
) -> Response:
    mine = {"patient": f"Patient/{patient['id']}", "_count": "100"}
    consents, teams = await asyncio.gather(
        found(record, "Consent", mine, 300), found(record, "CareTeam", {**mine, "status": "active"})
    )
    gettext = translations(language_of(request)).gettext
    lines = [_line(tree, gettext) for tree in consents if tree.get("status") != "entered-in-error"]
    return render(
        request,
        "clinician/wishes.html",
        status=status,
        patient=patient,
        who=identity(patient),
        today=datetime.now(moments.PARIS).date(),
        lines=sorted(lines, key=lambda line: line.at or _LONG_AGO, reverse=True),
        acts=[one for one in ACTS if one[0] != "information" or me.role_code not in _PERSONS],
        means=MEANS,
        # Who does not see the team, as a secretary, names anyone of the directory.
        members=_members(teams) or await _anyone(record),
        may_record=writes(me.role_code, Class.CONSENT),
        given=form,
        error=error,
    )


def _line(tree: Tree, gettext: Callable[[str], str]) -> Line:
    kind = next((code for code in codes(tree.get("category"), vocabulary.CONSENT) if code in KINDS), "")
    actors = (tree.get("provision") or {}).get("actor") or []
    names = [str((one.get("reference") or {}).get("display", "")) for one in actors]
    words = next((label(one) for one in tree.get("category", []) if label(one)), "")
    return Line(
        gettext(KINDS[kind]) if kind else words,
        gettext(STATES.get(str(tree.get("status")), "")) if tree.get("status") in STATES else "",
        moments.happened(tree),
        [name for name in names if name],
        label(tree.get("policyRule")),
    )


async def _anyone(record: Record) -> list[tuple[str, str]]:
    return [
        (reference, f"{name}, {role}" if role else name) for reference, name, role in await directory(record, mine="")
    ]


def _members(teams: list[Tree]) -> list[tuple[str, str]]:
    """(reference, name) of the professionals and structures now in the team."""
    today = datetime.now(moments.PARIS).date().isoformat()
    found_: dict[str, str] = {}
    for team in teams:
        for one in team.get("participant", []):
            member, end = one.get("member") or {}, (one.get("period") or {}).get("end", "9999")
            reference = str(member.get("reference", ""))
            if reference.startswith(("PractitionerRole/", "Practitioner/", "Organization/")) and end[:10] >= today:
                found_.setdefault(reference, str(member.get("display", "")))
    return sorted(((one, name) for one, name in found_.items() if name), key=lambda one: one[1].casefold())
