"""The plan personnalisé de coordination en santé as a PDF of one page (HAS, mode d'emploi, July 2019): the person and their actors, the
referent by name, problems and the person's own project, the plan of action, what is wished and not undertaken, the day it is looked at
again. All of it as the reader may see it; what does not fit is counted, and is in the record.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.protocols import codes
from liaison.protocols.calendar import Entry, State, calendar
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.clinician.teams import members, teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.concepts import label
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.reading.states import in_error
from liaison.services.pages.record import Record
from liaison.services.pages.sheets.printing import Part, printed
from liaison.services.pages.signed_in import address_of, signed_in

Tree = dict[str, Any]
MOST: Final = {"actors": 5, "problems": 4, "goals": 3, "actions": 6, "wished": 2}
"""Lines of each part: together they are one page."""
LONGEST: Final = 84
"""Letters of a line that does not break."""
_PPCS: Final = ("ppcs-writing", "ppcs-review")


async def ppcs(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    id_ = request.path_params["id"]
    patient = await patient_or_404(record, id_)
    language = language_of(request)
    gettext = translations(language).gettext
    mine = {"patient": f"Patient/{id_}", "_count": "100"}
    standing = "not (clinical-status eq resolved or clinical-status eq inactive or clinical-status eq remission)"
    teams, problems, goals, tasks = await asyncio.gather(
        teams_of(record, f"Patient/{id_}"),
        found(record, "Condition", {**mine, "_filter": standing}, 100),
        found(record, "Goal", mine, 200),
        found(record, "Task", {**mine, "code": f"{codes.STEP}|,{codes.COORDINATION}|"}, 1000),
    )
    now = record.now()
    steps = calendar([one for one in tasks if not in_error(one)], now.date())
    coming = [one for one in steps if one.state in (State.LATE, State.DUE)]
    actors = [f"{name}, {role}" if role else name for team in teams for name, role in members(team, now, gettext)]
    wished = [_words(one) for one in goals if one.get("lifecycleStatus") == "proposed"]
    aims = [_words(one) for one in goals if one.get("lifecycleStatus") in ("active", "accepted", "planned")]
    parts = [
        Part("title", gettext(_("Plan personnalisé de coordination en santé"))),
        Part("text", _cut(_person(identity(patient), language))),
        Part("text", _cut(colon(gettext, gettext(_("Référent")), _referent(steps) or gettext(_("à nommer"))))),
        *_listed(gettext, gettext(_("Les acteurs")), actors, "actors"),
        *_listed(gettext, gettext(_("La situation")), [label(one.get("code")) for one in problems], "problems"),
        *_listed(gettext, gettext(_("Le projet de la personne")), aims, "goals"),
        *_listed(gettext, gettext(_("Le plan d’action")), [_action(one, language) for one in coming], "actions"),
        *_listed(gettext, gettext(_("Souhaité, et pas engagé")), wished, "wished"),
        Part("text", colon(gettext, gettext(_("À réévaluer le")), _again(coming, language) or gettext(_("à fixer")))),
        Part("text", gettext(_("Imprimé le {day}.")).format(day=day_said(now.date(), "d MMMM y", language))),
    ]
    return printed(request, parts, gettext(_("PPCS")), language, "ppcs")


def _listed(gettext: Gettext, title: str, lines: Sequence[str], kind: str) -> list[Part]:
    told = [one for one in dict.fromkeys(lines) if one]
    fit = MOST[kind] if len(told) <= MOST[kind] else MOST[kind] - 1
    parts = [Part("heading", title), *(Part("point", _cut(one)) for one in told[:fit])]
    if told[fit:]:
        parts.append(Part("point", gettext(_("et {count} de plus, dans le dossier")).format(count=len(told) - fit)))
    return parts if told else [*parts, Part("point", gettext(_("rien n’est noté")))]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _person(who: Identity, language: str) -> str:
    return f"{who.full}, {who.sex}, {day_said(who.birth, 'd MMMM y', language) if who.birth else who.born}"


def _words(goal: Tree) -> str:
    return str((goal.get("description") or {}).get("text", ""))


def _referent(steps: Sequence[Entry]) -> str:
    """Whoever wrote the PPCS or looks at it again, the last first."""
    owners = [str((one.task.get("owner") or {}).get("display", "")) for one in steps if one.code in _PPCS]
    return next((one for one in owners if one), "")


def _action(one: Entry, language: str) -> str:
    owner = str((one.task.get("owner") or {}).get("display", ""))
    due = day_said(one.due, "d MMM y", language) if one.due else ""
    return " · ".join(part for part in (due, one.title, owner) if part)


def _again(coming: Sequence[Entry], language: str) -> str:
    days = [one.due for one in coming if one.code == "ppcs-review" and one.due]
    return day_said(min(days), "d MMMM y", language) if days else ""
