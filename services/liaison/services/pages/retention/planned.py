"""Conservation: what the rules ask for on this day, and destroying what is due, by whose decision.

Records are numbers here: nobody is named. Destroying asks for a recent proof, the reference of the decision, and the number
of records typed; each stands in the journal, and the data protection officer gets a notice.
"""

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.journal.acts import Act
from liaison.auth.journal.entry import Event, entry
from liaison.auth.retention import rules
from liaison.auth.retention.records import Record
from liaison.fhir.store import faults
from liaison.services.custody import retaining
from liaison.services.custody.retaining import DESTROYED, Plan
from liaison.services.house import House
from liaison.services.pages.entering import asked, go
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.signed_in import Me, signed_in

PATH: Final = "/conservation"
READERS: Final = frozenset({"dpo", "admin"})
AT_ONCE: Final = 100
"""Records that one form destroys. The next form takes the next ones."""
LONGEST: Final = 200


BECAUSE: Final = {
    "last-act": _("délai après le dernier acte"),
    "birthday": _("vingt-huitième anniversaire"),
    "death": _("délai après le décès"),
}
_WHY: Final = _("Donnez la référence de la décision.")
_COUNT: Final = _("Le nombre écrit n’est pas celui des dossiers à détruire : rien n’est détruit.")
_DEATHS: Final = _("Dites par quoi ces décès sont établis : un acte vu, un fichier des décès.")
_MOTIVE: Final = _("Dites pourquoi le dossier est rouvert.")
_NOT_ARCHIVED: Final = _("Ce numéro n’est celui d’aucun dossier archivé.")
_NONE: Final = _("Aucun dossier n’est à détruire.")


async def planned(request: Request) -> Response:
    """GET: the plan of today. POST: `decision`, `nombre` and, where the list is of deaths, `deces`: what is listed is destroyed."""
    caller, me = await signed_in(request)
    house: House = request.app.state.house
    found = await _plan(request)
    if request.method == "GET":
        return _show(request, house, found, {})
    form = {name: str(value).strip()[:LONGEST] for name, value in (await request.form()).items()}
    due, say = _listed(found), translations(language_of(request)).gettext
    if not due:
        return _show(request, house, found, {}, say(_NONE), "a-detruire", 409)
    if not form.get("decision"):
        return _show(request, house, found, form, say(_WHY), "decision", 422)
    if _of_deaths(found, due) and not form.get("deces"):
        return _show(request, house, found, form, say(_DEATHS), "deces", 422)
    if form.get("nombre") != str(len(due)):
        return _show(request, house, found, form, say(_COUNT), "nombre", 422)
    outcomes = []
    try:
        for one in due:
            seen = retaining.by_person(caller, asked(request))
            outcomes.append(
                await retaining.destroy(
                    house,
                    one,
                    by=decided_by(me),
                    why=form["decision"],
                    deaths=form.get("deces", ""),
                    told_by=seen,
                )
            )
    finally:
        await retaining.keep_outside(house)
        if gone := outcomes.count(DESTROYED):
            await retaining.tell_officer(house, gone)
    return _show(request, house, await _plan(request), {}, gone=gone, kept=len(outcomes) - gone)


def _listed(found: Plan) -> tuple[Record, ...]:
    """What one form destroys: what is due anyway, and when that is gone what a death alone makes due."""
    anyway = tuple(one for one in found.due if not retaining.rests_on_a_death(one, found.day))
    return (anyway or found.due)[:AT_ONCE]


def _of_deaths(found: Plan, listed: tuple[Record, ...]) -> bool:
    return any(retaining.rests_on_a_death(one, found.day) for one in listed)


async def archive(request: Request) -> Response:
    """`decision`: what has left active use is closed to the teams, and what is in use again is open to them."""
    caller, me = await signed_in(request)
    house: House = request.app.state.house
    why, found = await _typed(request, "decision"), await _plan(request)
    if not why:
        say = translations(language_of(request)).gettext
        return _show(request, house, found, {}, say(_WHY), "archivage", 422)
    seen = retaining.by_person(caller, asked(request), Event.RIGHTS)
    for one in (*found.to_archive, *found.to_reopen)[:AT_ONCE]:
        await retaining.archive(house, one, by=decided_by(me), why=why, told_by=seen)
    return go(request, PATH)


async def reopen(request: Request) -> Response:
    """`dossier` and `motif`: one archived record is open to its team again."""
    caller, me = await signed_in(request)
    house: House = request.app.state.house
    number, why = await _typed(request, "dossier"), await _typed(request, "motif")
    key, say = house.store.key("Patient", number.removeprefix("Patient/")), translations(language_of(request)).gettext
    if not why:
        return _show(request, house, await _plan(request), {"dossier": number}, say(_MOTIVE), "motif", 422)
    seen = retaining.by_person(caller, asked(request), Event.RIGHTS)
    if key is None or not await retaining.reopen(house, key.patient, by=decided_by(me), why=why, told_by=seen):
        form = {"dossier": number, "motif": why}
        return _show(request, house, await _plan(request), form, say(_NOT_ARCHIVED), "dossier", 422)
    return go(request, PATH)


async def _typed(request: Request, name: str) -> str:
    return str((await request.form()).get(name, "")).strip()[:LONGEST]


async def _plan(request: Request) -> Plan:
    caller, _me = await signed_in(request)
    house: House = request.app.state.house
    with faults.reported():
        async with house.database.writing.acquire() as connection, connection.transaction():
            looked = entry(caller, Event.JOB, request=asked(request), detail={"act": Act.PLANNED})
            await house.journal.record_within(connection, (looked,))
            return await retaining.plan(connection, house)


def decided_by(me: Me) -> str:
    """Who is signed in, in words, as the journal keeps who decided."""
    return f"{me.name}, {me.role_label}"


def _show(
    request: Request,
    house: House,
    found: Plan,
    form: dict[str, str],
    error: str = "",
    wrong: str = "",
    status: int = 200,
    **context: Any,
) -> Response:
    law, due = rules.in_force(), _listed(found)

    def lines(some: tuple[Record, ...]) -> list[tuple[str, Any]]:
        return [(" ".join(retaining.numbers(house, (one,))), one.terms) for one in some]

    return render(
        request,
        "retention/planned.html",
        status=status,
        plan=found,
        law=law,
        due=lines(due),
        by_death=_of_deaths(found, due),
        because=BECAUSE,
        given=form,
        error=error,
        wrong=wrong,
        **context,
    )
