"""Accueillir plusieurs personnes: a file, each line through the same door as one person at the desk.

By the person who is signed in, with their rights and in their name: `$register` for each line, so that the journal, the
information given and the objection are those of the desk. Someone who is known is not opened a second time: the same file
sent twice changes nothing. The file is not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from liaison.auth.access.roles import role_codes
from liaison.auth.people.pro_sante_connect.identity import RPPS
from liaison.fhir.errors import Forbidden
from liaison.services.pages.languages import language_of, translations
from liaison.services.pages.layout import render
from liaison.services.pages.marking import _
from liaison.services.pages.reception.people_file import COLUMNS, NEEDED, WORDS, Problem, Row, read_people
from liaison.services.pages.reception.person import patient
from liaison.services.pages.reception.received_for import NOBODY, ReceivedFor, received_for
from liaison.services.pages.reception.welcome import parameters, part, reference, result, told
from liaison.services.pages.record import Record, Refused
from liaison.services.pages.role_names import MEMBERS
from liaison.services.pages.signed_in import address_of, signed_in

PATH: Final = "/accueillir/plusieurs"
MOST_TOLD: Final = 50


CREATED: Final = _("Dossier créé")
MINE: Final = _("Déjà dans votre liste")
KNOWN: Final = _("Déjà connue ailleurs : rejoignez son équipe si elle vous reconnaît")
OPPOSED: Final = _("Dossier créé, opposition notée : il vous est fermé aussi")
KNOWN_OPPOSED: Final = _(
    "Déjà connue : son opposition est notée et compte aussitôt, un professionnel qui la suit la confirme"
)
UNSAID: Final = _(
    "Cette identité ne désigne pas une seule personne connue : son opposition n'est PAS notée. Accueillez-la seule, avec"
    " chaque trait, sa commune de naissance ou son INS"
)
UNQUALIFIED: Final = _("Refusé : une identité qualifiée demande l'INS, sa clé juste et tous les traits")
REFUSED: Final = _("Refusé : {column} n'est pas acceptable")
STOPPED: Final = _("Pas fait : l'accueil s'est arrêté avant cette ligne")
_OF: Final = {
    "Patient.identifier": "matricule_ins",
    "Patient.telecom": "telephone",
    "Patient.address": "commune",
    "Patient.birthDate": "date_naissance",
    "Patient.extension": "code_lieu_naissance",
    "Patient.name": "nom_naissance",
}
"""The column of what the engine names."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a line. `link` leads to the record, '' where none is open to whoever asked; `column` is the one that
    was refused; `alarming` asks for something to be done."""

    line: int
    name: str
    words: str
    link: str = ""
    column: str = ""

    @property
    def alarming(self) -> bool:
        return self.words in (UNSAID, UNQUALIFIED, REFUSED)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of each line, and the minutes after which the rest may be sent; 0 when all was done."""

    outcomes: Sequence[Outcome] = ()
    minutes: int = 0


async def several(request: Request) -> Response:
    caller, _me = await signed_in(request)
    record = Record(request.app.state.house.engine, caller, address_of(request))
    try:
        received = await received_for(record)
    except Forbidden:
        return _show(request, None, [Problem(0, "", NOBODY)])
    if request.method == "GET":
        return _show(request, received)
    form = await request.form()
    sent = form.get("fichier")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return _show(request, received, [Problem(0, "", _("Choisissez un fichier."))])
    rows, problems = read_people(await sent.read())
    teams, unknown = await _teams(record, rows)
    if problems := problems + unknown:
        return _show(request, received, problems)
    if form.get("agir") != "accueillir":
        return _show(request, received, checked=len(rows))
    return _show(request, received, done=await _received(record, rows, teams, received))


async def _received(
    record: Record, rows: Sequence[Row], teams: Mapping[str, str], received: ReceivedFor | None
) -> Received:
    """Line after line, each whole by itself. What stops the desk stops the rest, and the lines say so."""
    outcomes, minutes = [], 0
    always = [received.reference] if received else []
    for row in rows:
        name = f"{row.form['given']} {row.form['used'] or row.form['family']}"
        words, link, column = STOPPED, "", ""
        if not minutes:
            try:
                words, link = await _one(record, row, [*always, *(teams[number] for number in row.team)])
            except Refused as refused:
                match refused.answered:
                    case 429:
                        minutes = refused.minutes
                    case 400 | 422:
                        words, column = _why(refused, row)
                    case _:
                        raise
        outcomes.append(Outcome(row.line, name, words, link, column))
    return Received(outcomes, minutes)


def _why(refused: Refused, row: Row) -> tuple[str, str]:
    """What to say of a line that was refused, and the column to look at."""
    if row.form["status"] == "QUAL":
        return UNQUALIFIED, ""
    where = ".".join(refused.issues[0].expression.split("[")[0].split(".")[:2])
    return REFUSED, _OF.get(where, "nom_naissance")


async def _one(record: Record, row: Row, members: Sequence[str]) -> tuple[str, str]:
    answer = await record.operate(
        "Patient/$register",
        parameters(
            patient=patient(row.form),
            status=row.form["status"],
            informed=row.form["informed"],
            opposed=bool(row.form["opposed"]),
            members=dict.fromkeys(members, row.form["basis"]),
            told=await told(record, list(dict.fromkeys(members))),
        ),
    )
    where, created = reference(answer), result(answer) == "created"
    if row.form["opposed"]:
        if part(answer, "opposition").get("valueCode") != "recorded":
            return UNSAID, ""
        return (OPPOSED if created else KNOWN_OPPOSED), ""
    if created:
        return CREATED, where
    return (MINE, where) if where else (KNOWN, "")


async def _teams(record: Record, rows: Sequence[Row]) -> tuple[dict[str, str], list[Problem]]:
    """The role that each number of the file stands for, and the numbers that stand for none, or for several."""
    found: dict[str, list[str]] = {}
    for number in sorted({one for row in rows for one in row.team}):
        query = {"practitioner.identifier": f"{RPPS}|{number}", "active": "true", "_count": "10"}
        trees = await record.search("PractitionerRole", query, most=10)
        found[number] = [f"PractitionerRole/{tree['id']}" for tree in trees if MEMBERS.intersection(role_codes(tree))]
    words = {
        0: _("Personne de l'annuaire n'a le numéro {given}."),
        2: _("Le numéro {given} a plusieurs fonctions : choisissez à l'accueil, une personne à la fois."),
    }
    problems = [
        Problem(row.line, "equipe_rpps", words[min(2, len(found[one]))], one)
        for row in rows
        for one in row.team
        if len(found[one]) != 1
    ]
    return {number: roles[0] for number, roles in found.items() if len(roles) == 1}, problems


def _show(
    request: Request,
    received: ReceivedFor | None,
    problems: Sequence[Problem] = (),
    *,
    checked: int = 0,
    done: Received | None = None,
) -> Response:
    gettext = translations(language_of(request)).gettext
    told_ = [(one.line, one.column, gettext(one.words).replace("{given}", one.given)) for one in problems[:MOST_TOLD]]
    return render(
        request,
        "reception/several.html",
        status=422 if problems else 200,
        columns=[
            (heading, heading in NEEDED, sorted(one for one in WORDS.get(heading, {}) if one)) for heading in COLUMNS
        ],
        problems=told_,
        more=len(problems) - len(told_),
        checked=checked,
        received=received,
        done=done,
        made=sum(one.words in (CREATED, OPPOSED) for one in done.outcomes) if done else 0,
    )
