"""Accords et oppositions: what the person was told, what they agreed to, what they oppose; each may be withdrawn here.

What they oppose is recorded beside (opposing/), where it is said in advance what stops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted, team_writing, vocabulary
from liaison.auth.access.classes import Class, union
from liaison.auth.access.facts.consent import classes_of
from liaison.auth.access.facts.reading import codes
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.notebook.naming import relatives
from liaison.services.pages.opposing.confirming import name_of
from liaison.services.pages.reading import moments, unread, values
from liaison.services.pages.reading.classes import in_words, read_in_the_team
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import PLANNERS, writes
from liaison.services.pages.signed_in import Me, address_of, signed_in
from liaison.services.pages.workshops.keeping_first_name import places

Tree = dict[str, Any]


KINDS: Final = {
    "information": _("Information donnée"),
    "sharing": _("Accord pour un partage"),
    "opposition": _("Opposition au partage"),
    "emergency-objection": _("Refus de l'accès en urgence"),
    "masking": _("Information masquée"),
    "etp": _("Entrée dans le programme d'éducation"),
    "attending-doctor": _("Médecin traitant déclaré"),
}
ENDS: Final = {
    "sharing": _("Retirer cet accord"),
    "opposition": _("Retirer cette opposition"),
    "emergency-objection": _("Retirer ce refus"),
    "masking": _("Ne plus masquer"),
    "etp": _("Retirer cet accord"),
}
REOPENING: Final = frozenset({"opposition", "emergency-objection", "masking"})
"""What closes something: who ends it on the person's word says that they were asked."""
STATES: Final = {
    "active": _("en vigueur"),
    "proposed": _("en vigueur, à confirmer"),
    "inactive": _("levé"),
    "rejected": _("refusé"),
    "draft": _("brouillon, sans effet"),
}
MEANS: Final = (("oral", _("À l'oral")), ("paper", _("Par écrit, feuille remise")), ("digital", _("En ligne")))
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
PERSONS: Final = frozenset({"patient", "guardian"})
_TELLING_ONLY: Final = frozenset({"secretary", "trainee"})
"""They record what the person was told and opposes, and permit nothing to anybody; a trainee leaves it to others."""


@dataclass(frozen=True, slots=True)
class Line:
    """One recorded wish or information; `about` names whom it concerns. `ends` says how it is withdrawn, '' where it is
    not: it is over already, or is a fact. `reopens`: without it others see more. `signed`: a form that the person signed can
    be read. `enters`: they are in an education programme by it."""

    kind: str
    state: str
    at: datetime | None
    about: list[str]
    text: str
    id: str = ""
    ends: str = ""
    reopens: bool = False
    signed: bool = False
    enters: bool = False


async def wishes(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    if request.method == "GET":
        return await show(request, record, patient, me, {})
    form = {name: str(value) for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    means = form.get("means", "")
    if means not in dict(MEANS):
        words = gettext(_("Dites ce que la personne a dit, et comment."))
        return await show(request, record, patient, me, form, words, 400)
    subject, by, now = f"Patient/{id_}", me.role_reference or me.person, record.now()
    if form.get("act") == "agreed":
        said = team_writing.agreement(subject, by, now, means)
    else:
        said = team_writing.consent(subject, "information", by, now, means, {"type": "permit"})
    try:
        await record.create(said)
    except Refused as refused:
        if refused.answered != 403:
            raise
        words = gettext(_("Cela élargirait vos propres droits : un autre membre de l'équipe doit l'enregistrer."))
        return await show(request, record, patient, me, form, words, 403)
    return RedirectResponse(f"/dossiers/{id_}/accords", status_code=303)


async def show(
    request: Request,
    record: Record,
    patient: Tree,
    me: Me,
    form: Mapping[str, str],
    error: str = "",
    status: int = 200,
) -> Response:
    gettext = translations(language_of(request)).gettext
    table = await adopted.in_force(request.app.state.house.database)
    may_record = writes(table, me.role_code, Class.CONSENT)
    may = may_record and me.role_code != "home-aide"
    others = await relatives(record, f"Patient/{patient['id']}") if me.role_code not in _TELLING_ONLY else []
    lines = await recorded(record, patient["id"], gettext, ends=may)
    close = [one for one in others if one.reference != me.person]
    # Nobody records a permission of what they do not read themselves (access.permitting); nor may a representative.
    opens = me.role_code == "patient" or bool(read_in_the_team(table, me.role_code) & Class.SENS)
    return render(
        request,
        "clinician/wishes.html",
        status=status,
        patient=patient,
        who=identity(patient),
        today=record.now().date(),
        lines=lines,
        may_agree=may_record and me.role_code in PLANNERS and not any(line.enters for line in lines),
        places=await places(record, patient["id"]),
        may_take_back=may,
        means=MEANS,
        may_record=may_record,
        may_tell=me.role_code not in PERSONS,
        may_name=me.role_code not in _TELLING_ONLY,
        relatives=close,
        representatives=[one for one in close if one.represents] if opens else [],
        given=form,
        error=error,
    )


async def recorded(record: Record, id_: str, gettext: Callable[[str], str], *, ends: bool = False) -> list[Line]:
    """What is recorded of a person's wishes, latest first. `ends`: the reader may withdraw them."""
    consents = await found(record, "Consent", {"patient": f"Patient/{id_}", "_count": "100"}, 300)
    known = [tree for tree in consents if tree.get("status") != "entered-in-error"]
    lines = [await _line(record, tree, gettext, ends=ends) for tree in known]
    return sorted(lines, key=lambda line: line.at or _LONG_AGO, reverse=True)


async def _line(record: Record, tree: Tree, gettext: Callable[[str], str], *, ends: bool) -> Line:
    kind = next((code for code in codes(tree.get("category"), vocabulary.CONSENT) if code in KINDS), "")
    actors = (tree.get("provision") or {}).get("actor") or []
    names = [await name_of(record, one.get("reference") or {}) for one in actors]
    words = next((label(one) for one in tree.get("category", []) if label(one)), "")
    named = union(classes_of(tree.get("provision") or {})[0]) if kind == "sharing" else Class(0)
    stands = tree.get("status") in ("active", "proposed")
    return Line(
        unread.marked(tree, gettext(KINDS[kind]) if kind else words, gettext),
        state(tree, kind, record.now(), gettext),
        moments.happened(tree),
        [name for name in names if name],
        " · ".join(
            filter(None, (_means(tree, gettext), ", ".join(in_words(named, gettext)), label(tree.get("policyRule"))))
        ),
        str(tree["id"]),
        gettext(ENDS[kind]) if ends and stands and kind in ENDS else "",
        kind in REOPENING,
        "sourceAttachment" in tree,
        kind == "etp" and tree.get("status") == "active",
    )


def _means(tree: Tree, gettext: Callable[[str], str]) -> str:
    """How it was said or told, as it was recorded here; '' where that is not said."""
    stated = set(codes(tree.get("policyRule"), vocabulary.CONSENT))
    return next((gettext(words) for means, words in MEANS if f"means-{means}" in stated), "")


def state(tree: Tree, kind: str, now: datetime, gettext: Callable[[str], str]) -> str:
    """Whether it holds, with its dates. What is masked is so until it is withdrawn, whatever its period (facts/consent)."""
    period, words = (tree.get("provision") or {}).get("period") or {}, STATES.get(str(tree.get("status")), "")
    if tree.get("status") == "active" and kind != "masking":
        words = _("terminé") if moments.over(period, now) else words
        words = _("pas encore en vigueur") if moments.ahead(period, now) else words
    dates = values.period(period, gettext)
    said = gettext(words) if words else ""
    return f"{said} ({dates})" if said and dates else said
