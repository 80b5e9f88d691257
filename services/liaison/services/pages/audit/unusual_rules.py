"""Règles des accès inhabituels: each in a sentence with what explains it away, tuned, tried on the past, turned on or off.

A rule is tried before it is on: how many accesses it would have found between two days, and which. Every choice and every
trial is an entry of the journal. Where somebody holds the mandate over the territory, only they choose.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal import audit_rights, expiry
from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.unusual import choices, watching
from liaison.auth.unusual.choices import Choice, NotChosen, Watched
from liaison.auth.unusual.table import Rule, rules
from liaison.auth.unusual.watching import Finding
from liaison.fhir.errors import Forbidden, NotFound, TooCostly
from liaison.fhir.store import faults
from liaison.services.pages import clock
from liaison.services.pages.audit.to_review import Person, people
from liaison.services.pages.audit.unusual import records_of, reference
from liaison.services.pages.entering import asked, go, note
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import address_of, signed_in

PATH: Final = "/journal/signaux"
SHOWN: Final = 100
_WEEK: Final = timedelta(days=7)
EXPLAINED: Final = {
    "team": _("équipe de soins"),
    "consent": _("accord de la personne"),
    "task": _("tâche d'un protocole"),
    "encounter": _("séjour ou consultation"),
    "referral": _("demande d'avis acceptée"),
    "tour": _("tournée du jour"),
    "on-call": _("appel à la plateforme"),
    "emergency": _("accès d'urgence, revu comme tel"),
}
_PROBLEMS: Final = {
    "notice": _("Cette règle attend la date de la note d'information au personnel."),
    "early": _(
        "Cette règle ne regarde rien avant le jour de la note d'information au personnel : choisissez ce jour ou un jour plus récent."
    ),
    "since": _("Donnez le premier jour à regarder."),
    "days": _("Donnez deux jours, le premier avant le dernier."),
    "many": _("Il y a trop d'accès entre ces deux jours : choisissez moins de jours."),
}
_BOUNDS: Final = _("Ce nombre n'est pas entre les deux bornes.")


@dataclass(frozen=True, slots=True)
class Shown:
    """A rule as the page has it."""

    rule: Rule
    choice: Choice | None
    values: dict[str, int]
    informed: date | None
    """The day of the notice to staff; date.min for a rule that does not wait for it."""

    @property
    def waits(self) -> bool:
        return self.informed is None

    @property
    def active(self) -> bool:
        return self.choice is not None and self.choice.active and not self.waits

    @property
    def since(self) -> date | None:
        """The first day that it looks at: the notice may have been given another day since it was chosen."""
        chosen = self.choice.since if self.choice else None
        return max(chosen, self.informed) if chosen and self.informed else None

    def earliest(self, day: date) -> date:
        """That day, or the first after it that the rule may look at."""
        return max(day, self.informed or day)


@dataclass(frozen=True, slots=True)
class Line:
    """What a trial found."""

    finding: Finding
    who: Person
    record: str


async def every(request: Request) -> Response:
    """GET: the rules. POST `date`: the day of the notice to staff."""
    caller, _me = await signed_in(request)
    house, error = request.app.state.house, ""
    reading = house.database.reading
    if request.method == "POST":
        await _require_choice(request)
        day = _day(str((await request.form()).get("date", "")))
        if day is not None:
            with faults.reported():
                async with house.database.writing.acquire() as connection, connection.transaction():
                    await choices.date_notice(connection, day, by=caller.practitioner)
                    detail = {"act": Act.UNUSUAL_NOTICE, "since": day.isoformat()}
                    told = entry(caller, Event.CONFIGURATION, request=asked(request), detail=detail)
                    await house.journal.record_within(connection, (told,))
            return go(request, PATH)
        error = translations(language_of(request)).gettext(_("Donnez le jour de la note d'information."))
    with faults.reported():
        chosen = await choices.current(reading)
        may = await audit_rights.may_choose(reading, caller.session)
    notice = chosen.get(choices.NOTICE)
    return render(
        request,
        "audit/unusual_rules.html",
        status=422 if error else 200,
        found=[_shown(rule, chosen) for rule in rules().values()],
        informed=notice.since if notice else None,
        may=may,
        error=error,
    )


async def one(request: Request) -> Response:
    """GET: a rule. POST `acte`: `essayer` tries it, `marche` turns it on as it is tuned in the form, `arret` off."""
    rule = rules().get(str(request.path_params["rule"]))
    if rule is None:
        raise NotFound
    form = {name: str(value).strip()[:40] for name, value in (await request.form()).items()}
    if request.method == "GET":
        return await _show(request, rule, {})
    act = form.get("acte", "")
    if act == "essayer":
        return await _try(request, rule, form)
    await _require_choice(request)
    if act not in ("marche", "arret"):
        raise NotFound
    problem = await _choose(request, rule, form, active=act == "marche")
    return await _show(request, rule, form, problem) if problem else go(request, f"{PATH}/{rule.name}")


async def _require_choice(request: Request) -> None:
    caller, _me = await signed_in(request)
    with faults.reported():
        if not await audit_rights.may_choose(request.app.state.house.database.reading, caller.session):
            raise Forbidden("The organisation that holds the mandate over the territory chooses.")


async def _choose(request: Request, rule: Rule, form: Mapping[str, str], *, active: bool) -> str:
    """'' when it is chosen, or what is wrong: a key of _PROBLEMS or the name of a parameter."""
    caller, _me = await signed_in(request)
    house = request.app.state.house
    values, since = _values(rule, form), _day(form.get("depuis", ""))
    if isinstance(values, str):
        return values
    with faults.reported():
        try:
            async with house.database.writing.acquire() as connection, connection.transaction():
                number = await choices.choose(
                    connection, rule.name, active=active, since=since, parameters=values, by=caller.practitioner
                )
                detail: dict[str, Any] = {
                    "act": Act.UNUSUAL_RULE,
                    "rule": rule.name,
                    "active": active,
                    "choice": number,
                }
                detail |= {"since": since.isoformat() if since else "", "parameters": values}
                told = entry(caller, Event.CONFIGURATION, request=asked(request), detail=detail)
                await house.journal.record_within(connection, (told,))
        except NotChosen as problem:
            return problem.why
    return ""


async def _try(request: Request, rule: Rule, form: Mapping[str, str]) -> Response:
    caller, _me = await signed_in(request)
    house, values = request.app.state.house, _values(rule, form)
    first, last = _day(form.get("du", "")), _day(form.get("au", ""))
    if isinstance(values, str):
        return await _show(request, rule, form, values)
    if first is None or last is None or first > last:
        return await _show(request, rule, form, "days")
    with faults.reported():
        if rule.notice:  # before the staff were told, nothing of theirs is compared
            informed = await choices.informed_since(house.database.reading)
            if informed is None or first < informed:
                return await _show(request, rule, form, "early" if informed else "notice")
        watched = Watched(rule, 0, rule.values(values), first)
        try:
            found = await watching.tried(
                house.database.reading, house.store, house.journal_keys, house.settings.fhir_base, watched, last
            )
            theirs = await audit_rights.of_theirs(
                house.database.reading,
                caller.session,
                [(finding.opening.patient, finding.opening.organization) for finding in found],
            )
        except TooCostly:
            return await _show(request, rule, form, "many")
    kept = [finding for finding, allowed in zip(found, theirs, strict=True) if allowed]
    detail = {"act": Act.UNUSUAL_TRIED, "rule": rule.name, "from": first.isoformat(), "until": last.isoformat()}
    detail |= {"parameters": str(values)}
    told = entry(caller, Event.JOURNAL_READ, request=asked(request), returned=len(kept), detail=detail)
    await note(request, told)
    readable = await expiry.readable_since(house.database.reading)
    return await _show(request, rule, form, tried=kept, readable=readable if readable and first < readable else None)


async def _show(
    request: Request,
    rule: Rule,
    form: Mapping[str, str],
    problem: str = "",
    tried: list[Finding] | None = None,
    readable: date | None = None,
) -> Response:
    caller, _me = await signed_in(request)
    house, gettext = request.app.state.house, translations(language_of(request)).gettext
    today = clock.now(request).date()
    with faults.reported():
        chosen = await choices.current(house.database.reading)
        may = await audit_rights.may_choose(house.database.reading, caller.session)
    record = Record(house.engine, caller, address_of(request))
    shown, found = (tried or [])[:SHOWN], _shown(rule, chosen)
    records = await records_of(request, [finding.opening.patient for finding in shown])
    roles = {finding.opening.role: reference(request, "PractitionerRole", finding.opening.role) for finding in shown}
    who = await people(record, roles.values(), gettext)
    return render(
        request,
        "audit/unusual_rule.html",
        status=422 if problem else 200,
        one=found,
        explained=EXPLAINED,
        given=form,
        error=gettext(_PROBLEMS.get(problem, _BOUNDS)) if problem else "",
        wrong=problem,
        since=found.since if found.active else found.earliest(today),
        first=found.earliest(today - _WEEK),
        today=found.earliest(today),
        count=None if tried is None else len(tried),
        readable=readable,
        lines=[
            Line(
                finding,
                who.get(roles[finding.opening.role], Person()),
                records.get(finding.opening.patient, "")[:6],
            )
            for finding in shown
        ],
        told=lambda finding: gettext(rule.told) % finding.facts,
        may=may,
    )


def _shown(rule: Rule, chosen: Mapping[str, Choice]) -> Shown:
    choice = chosen.get(rule.name)
    notice = chosen.get(choices.NOTICE)
    informed = (notice.since if notice else None) if rule.notice else date.min
    return Shown(rule, choice, rule.values(choice.parameters if choice else {}), informed)


def _values(rule: Rule, form: Mapping[str, str]) -> dict[str, int] | str:
    """What the form says of each parameter, or the name of one that is no number or out of bounds."""
    values = {}
    for name, one in rule.parameters.items():
        text = form.get(name, str(one.value))
        if not (text.isascii() and text.isdigit()) or not one.least <= int(text) <= one.most:
            return name
        values[name] = int(text)
    return values


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
