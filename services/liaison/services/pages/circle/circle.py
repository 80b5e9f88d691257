"""L'équipe de la personne: everyone in it with their dates and legal basis (L.1110-12); a member invites, and ends.

Whether somebody may is decided by the engine: who writes the team, and that nobody widens their own rights.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeGuard

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from liaison.auth.access import adopted, team_writing, vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.facts.care_team import is_attending
from liaison.auth.access.facts.reading import extension
from liaison.auth.people.standing_in import StandsIn, standing_in
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import BadRequest, NotFound
from liaison.fhir.model.dates import EARLIEST, LATEST
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.services.pages.calendar_words import day_said, last_day_before
from liaison.services.pages.circle import declared
from liaison.services.pages.clinician.dossier import found, patient_or_404
from liaison.services.pages.clinician.teams import teams_of
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.opposing.opposing import MEANS, PERSONS
from liaison.services.pages.reading import moments, people
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.reading.punctuation import colon
from liaison.services.pages.reception.welcome import Choice, choices
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import role_name, writes
from liaison.services.pages.signed_in import Me, address_of, human_name, signed_in

Tree = dict[str, Any]

_TRIES: Final = 3


BASES: Final = {
    "recognised": _("reconnu par la personne"),
    "same-structure": _("même structure"),
    "formal-organisation": _("organisation formelle"),
    "invited": _("invité par un membre de l'équipe"),
    "referral": _("demande de soins"),
}
INVITING: Final = (
    ("invited", _("Je l'invite, la personne en est d'accord")),
    ("recognised", _("La personne l'a reconnue comme membre de son équipe")),
    ("formal-organisation", _("Organisation formelle (maison de santé, CPTS, appui à la coordination)")),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One participation. `team` and `place` say where it stands, for ending it; `instead` is who stands in now."""

    team: str
    place: int
    name: str
    attending: bool
    structure: bool
    since: datetime | None
    until: datetime | None
    basis: str
    informed: bool
    instead: list[str]
    over: bool


async def circle(request: Request) -> Response:
    caller, me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    patient = await patient_or_404(record, request.path_params["id"])
    if request.method == "GET":
        return await _show(request, record, patient, me)
    form = {name: str(value) for name, value in (await request.form()).items()}
    gettext = translations(language_of(request)).gettext
    try:
        if form.get("act") == "attending":
            themselves = me.role_code in PERSONS
            if not form.get("doctor") or not (themselves or form.get("means") in dict(MEANS)):
                raise NotComplete(_("Choisissez le médecin, et comment la personne l'a dit."))
            await declared.declare(record, f"Patient/{patient['id']}", form, by_themselves=themselves)
        elif form.get("act") == "end":
            await _end(record, f"Patient/{patient['id']}", form)
        else:
            await _invite(record, f"Patient/{patient['id']}", form)
    except NotComplete as problem:
        return await _show(request, record, patient, me, error=gettext(problem.words), given=form, status=400)
    except Refused as refused:
        words = _REFUSED.get((form.get("act") == "attending", refused.answered))
        if words is None:
            raise
        return await _show(request, record, patient, me, error=gettext(words), given=form, status=refused.answered)
    return RedirectResponse(f"/dossiers/{patient['id']}/equipe", status_code=303)


_REFUSED: Final = {
    (False, 403): _("Vous ne pouvez pas le faire vous-même : un autre membre de l'équipe, ou la personne, le fait."),
    (True, 403): _(
        "La personne déclare son médecin traitant. Ou un autre membre de l'équipe le note, jamais ce médecin."
    ),
    (True, 409): _("Ce médecin est déjà son médecin traitant, ou la personne s'oppose à ce qu'il lise son dossier."),
    (True, 400): _("Choisissez un médecin de l'équipe."),
}


class NotComplete(ValueError):
    """What is missing, to be translated."""

    def __init__(self, words: str) -> None:
        self.words = words
        super().__init__(words)


async def _invite(record: Record, patient: str, form: dict[str, str]) -> None:
    chosen, basis = form.get("member", ""), form.get("basis", "")
    if not chosen.startswith(("PractitionerRole/", "Organization/")) or basis not in dict(INVITING):
        raise NotComplete(_("Choisissez qui, et à quel titre."))
    now = record.now()
    until = _day(form.get("until", ""), now.date())
    listed = await record.read(chosen)
    if listed is None:
        raise NotFound
    name = str(listed.get("name") or (listed.get("practitioner") or {}).get("display", ""))
    member = {"reference": chosen, "display": name} if name else {"reference": chosen}
    doing = team_writing.functions(listed)
    own = team_writing.participant(member, now, basis, informed=bool(form.get("informed")), roles=doing)
    if until is not None:
        own["period"]["end"] = until.isoformat()
    await _change(
        record, patient, "", lambda team: team_writing.with_participants(team, [*team.get("participant", []), own]), own
    )


async def _end(record: Record, patient: str, form: dict[str, str]) -> None:
    named, since = form.get("member", ""), form.get("since", "")
    now = record.now()

    def ended(team: Tree) -> Tree:
        participants = [dict(one) for one in team.get("participant", [])]
        for one in participants:
            if _is(one, named, since, now):
                # An end counts to its last second, or to its last millisecond: whoever leaves reads nothing at the next request.
                one["period"] = {**one.get("period", {}), "end": now.isoformat(timespec="milliseconds")}
        return team_writing.with_participants(team, participants)

    await _change(record, patient, form.get("team", ""), ended)


def _is(participant: Tree, named: str, since: str, now: datetime) -> bool:
    period = participant.get("period") or {}
    same = (
        str((participant.get("member") or {}).get("reference", "")) == named and str(period.get("start", "")) == since
    )
    return bool(named) and same and not moments.over(period, now)


async def _change(
    record: Record, patient: str, team: str, change: Callable[[Tree], Tree], first: Tree | None = None
) -> None:
    """Changes the team named, or the general one; makes it with `first` where there is none. Of two who change it at once,
    both are heard."""
    for left in reversed(range(_TRIES)):
        teams = await found(record, "CareTeam", {"patient": patient, "status": "active", "_count": "50"})
        chosen = [one for one in teams if (one["id"] == team if team else not one.get("category"))]
        if not chosen and first is not None:
            await record.create(team_writing.care_team(patient, [first], record.now()))
            return
        if not chosen:
            raise NotFound
        changed = change(chosen[0])
        if changed == chosen[0]:
            raise BadRequest("Nobody of this team is named.")
        try:
            await record.update(changed)
            return
        except Refused as refused:
            if refused.answered != 412 or not left:
                raise


def _day(typed: str, today: date) -> date | None:
    if not typed:
        return None
    try:
        until = date.fromisoformat(typed)
    except ValueError:
        raise NotComplete(_("La date de fin n’est pas une date.")) from None
    if until < today:
        raise NotComplete(_("La date de fin est passée."))
    return until


async def _show(
    request: Request,
    record: Record,
    patient: Tree,
    me: Me,
    *,
    error: str = "",
    given: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    teams = await teams_of(record, f"Patient/{patient['id']}")
    members, numbers = await _members(request, record, teams)
    present = [one for one, _tree in members if not one.over]
    handles = {(one.team, one.place): _tree for one, _tree in members}
    named = {str((handles[one.team, one.place].get("member") or {}).get("reference", "")): one for one in present}
    attending = {reference for reference, one in named.items() if one.attending}
    names = {reference: one.name for reference, one in named.items()}
    may = writes(await adopted.in_force(request.app.state.house.database), me.role_code, Class.TEAM)
    offered: list[Choice] = await choices(record, me) if may else []
    return render(
        request,
        "circle/circle.html",
        status=status,
        patient=patient,
        who=identity(patient),
        today=record.now().date(),
        present=present,
        past=[one for one, _tree in members if one.over],
        handles=handles,
        declaring=await declared.offered(request.app.state.house.database, me, names, numbers, attending, records=may),
        declared=bool(attending),
        may_write=may,
        offered=offered,
        inviting=INVITING,
        given=given or {},
        error=error,
    )


async def _members(
    request: Request, record: Record, teams: Sequence[Tree]
) -> tuple[list[tuple[Member, Tree]], dict[str, int]]:
    """Each participation, and the number of each professional by reference."""
    house, language = request.app.state.house, language_of(request)
    gettext = translations(language).gettext
    listed = [(team, place, one) for team in teams for place, one in enumerate(team.get("participant", []))]
    keys = {str((one.get("member") or {}).get("reference", "")): None for _team, _place, one in listed}
    numbers = {text: key.res for text in keys if (key := _key(house, text)) is not None}
    with faults.reported():
        instead = await standing_in(house.database.reading, numbers.values())
    said: dict[int, list[str]] = {}
    for one in instead:
        said.setdefault(one.answers, []).append(await _words(house, record, one, language))
    made = [(_member(team, place, one, gettext, said, numbers, record.now()), one) for team, place, one in listed]
    made.sort(key=lambda pair: (not pair[0].attending, pair[0].structure, pair[0].name.casefold()))
    return made, numbers


def _key(house: Any, text: str) -> Key | None:
    type_, _slash, id_ = text.partition("/")
    key: Key | None = house.store.key(type_, id_) if type_ in ("PractitionerRole", "Practitioner") else None
    return key


async def _words(house: Any, record: Record, one: StandsIn, language: str) -> str:
    """« Remplacé par … du … au …, autorisation n° … », or whose trainee or secretary this is."""
    ids, gettext = house.engine.store, translations(language).gettext
    person = await record.read(f"Practitioner/{ids.id(Key(0, kind_of('Practitioner'), one.practitioner))}")
    name = human_name(person)
    since = (
        day_said(one.since.astimezone(moments.PARIS).date(), "d MMM y", language)
        if one.since and one.since > EARLIEST
        else ""
    )
    until = day_said(last_day_before(one.until), "d MMM y", language) if _is_stated(one.until) else ""
    if one.role_code != "substitute":
        role = role_name(one.role_code, gettext)
        return colon(gettext, role, name) + (gettext(_(", jusqu'au {day}")).format(day=until) if until else "")
    role_tree = await record.read(f"PractitionerRole/{ids.id(Key(0, kind_of('PractitionerRole'), one.role))}") or {}
    number = next(
        (
            str(known["value"])
            for known in role_tree.get("identifier", [])
            if known.get("system") == vocabulary.AUTHORISATION
        ),
        "",
    )
    words = gettext(_("Remplacé par {name} du {since} au {until}")).format(
        name=name, since=since or "…", until=until or "…"
    )
    return words + (gettext(_(", autorisation n° {number}")).format(number=number) if number else "")


def _is_stated(end: datetime | None) -> TypeGuard[datetime]:
    return end is not None and end.year < LATEST.year


def _member(
    team: Tree,
    place: int,
    one: Tree,
    gettext: Gettext,
    said: dict[int, list[str]],
    numbers: dict[str, int],
    now: datetime,
) -> Member:
    member, period = one.get("member") or {}, one.get("period") or {}
    text = str(member.get("reference", ""))
    basis = str(extension(one, vocabulary.LEGAL_BASIS).get("valueCode", ""))
    return Member(
        str(team["id"]),
        place,
        people.said(str(member.get("display", "")), gettext) or gettext(_("Sans nom dans l'équipe")),
        is_attending(one),
        text.startswith("Organization/"),
        moments.moment(period["start"]) if period.get("start") else None,
        moments.ending(str(period["end"])) if period.get("end") else None,
        gettext(BASES.get(basis, BASES["invited"])) if not text.startswith("RelatedPerson/") else "",
        "valueDateTime" in extension(one, vocabulary.INFORMED),
        said.get(numbers.get(text, 0), []),
        moments.over(period, now),
    )
