"""The page of a manager's people: who works in my structure, from when until when, and with which way in."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.people import managers, namesakes, professions
from liaison.auth.people.managers import Person
from liaison.fhir.definitions import kind_of
from liaison.fhir.model.dates import LATEST
from liaison.fhir.store import faults
from liaison.fhir.store.contract import Key
from liaison.fhir.store.ids import Ids
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.record import Record
from liaison.services.pages.role_names import profession_name, role_name
from liaison.services.pages.signed_in import address_of, human_name, reference, signed_in
from liaison.services.pages.team.newcomer import STANDINGS

PATH: Final = "/equipe"
KIND: Final = kind_of("Practitioner")


async def show(request: Request, *, status: int = 200, **context: Any) -> Response:
    """The list, with what has just happened. For somebody who has no role to give here, why."""
    caller, me = await signed_in(request)
    house = request.app.state.house
    with faults.reported():
        gives = await managers.gives(house.database.reading, caller)
        elsewhere = house.pro_sante_connect is not None
    gettext = translations(language_of(request)).gettext
    if not gives:
        return nothing_to_give(request, gettext)
    people = await listed(request, caller)
    own = caller.role_code if managers.answers_alone(caller) else ""
    roles = sorted(((role_name(code, gettext, own), code) for code in gives), key=lambda one: one[0].casefold())
    answering = [
        (one.of.role, one.name) for one in people if one.of.active and not one.of.over and answers_for(one.of.role_code)
    ]
    return render(
        request,
        "team/team.html",
        status=status,
        people=people,
        roles=roles,
        answering=answering,
        elsewhere=elsewhere,
        standings=STANDINGS,
        for_oneself=bool(own),
        confirms=managers.vouches(caller),
        service=me.organization_name,
        **context,
    )


async def listed(request: Request, caller: Caller) -> list["Listed"]:
    """Everyone whom this manager may act on, with their names and what they are called."""
    house = request.app.state.house
    with faults.reported():
        found = await managers.people_of(house.database.reading, caller, KIND)
    gettext = translations(language_of(request)).gettext
    now = house.database.clock.now()
    record, ids = Record(house.engine, caller, address_of(request)), Ids(house.vault.id_key)
    trees = [await record.read(reference(ids, Key(0, KIND, one.practitioner))) for one in found]
    return [
        Listed(
            one,
            human_name(tree) or one.username,
            role_name(one.role_code, gettext, one.stands_for, str((tree or {}).get("gender", ""))),
            one.starts if one.starts > now else None,
            None if one.ends.year >= LATEST.year else one.ends,
            managers.by_code_on_phone(one.role_code),
            namesakes.is_waiting(tree or {}),
            (tree or {}).get("active") is False,
        )
        for one, tree in zip(found, trees, strict=True)
    ]


class Listed(NamedTuple):
    """One card. `begins`: a first day that has not come; `ends`: None for no end. `doubtful`: an administrator has not found
    out yet who that is. `aside`: the directory does not count them."""

    of: Person
    name: str
    role: str
    begins: datetime | None
    ends: datetime | None
    on_phone: bool
    doubtful: bool
    aside: bool


def nothing_to_give(request: Request, gettext: Callable[[str], str]) -> Response:
    """A ward, or an establishment, has somebody who answers for its people."""
    return render(
        request,
        "message.html",
        status=200 if request.method == "GET" else 422,
        heading=gettext("Remplacement et secrétariat"),
        sentences=[
            gettext("Votre service fait partie d’un établissement : vous n’y ajoutez personne vous-même."),
            gettext("Le référent du service, ou un administrateur, y inscrit remplaçants, internes et secrétaires."),
        ],
    )


def answers_for(role: str) -> bool:
    """Whether someone in this role may have a substitute, a trainee or a secretary."""
    return ROLES[role].category == "health"


def another_profession(problem: professions.OtherProfession, gettext: Callable[[str], str]) -> str:
    known, needed = (
        ", ".join(sorted(profession_name(one, gettext).lower() for one in some))
        for some in (problem.known, problem.needed)
    )
    if not problem.in_place:
        return gettext(
            "L’annuaire connaît cette personne comme {known} : elle n’a pas de fonction d’une autre profession ({needed}). "
            "Si c’est une erreur, un administrateur corrige l’annuaire."
        ).format(needed=needed, known=known)
    return gettext(
        "Qui remplace un professionnel, ou est en stage chez lui, est de la même profession ({needed}). L’annuaire connaît "
        "cette personne comme {known}. Si c’est une erreur, un administrateur corrige l’annuaire."
    ).format(needed=needed, known=known)
