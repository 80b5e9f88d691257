"""A list of people as a practice keeps it: one line each, headings in French, as a French spreadsheet writes it.

UTF-8, UTF-16 with its mark or Windows-1252, semicolons, commas or tabs. Nothing is guessed: what cannot be read is a Problem that names the line
and the column, and a file with a problem gives no rows at all.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from liaison.auth.access.oppositions import MEANS
from liaison.fhir.model.check_digits import ins_ok
from liaison.services.pages.marking import _
from liaison.services.pages.reception.person import EARLIEST, INS, Incomplete, patient
from liaison.services.pages.reception.welcome import MISSING

MOST_ROWS: Final = 1000
MOST_BYTES: Final = 2 * 1024 * 1024
SENT_LIMIT: Final = 2 * MOST_BYTES
"""A file over the limit is still read to say so on the page; beyond this it is refused unread."""
NEEDED: Final = ("nom_naissance", "prenom", "date_naissance", "sexe", "information", "opposition")
# Heading, and the field of the form at the desk that it fills.
COLUMNS: Final = {
    "nom_naissance": "family",
    "nom_utilise": "used",
    "prenom": "given",
    "date_naissance": "birth",
    "sexe": "sex",
    "code_lieu_naissance": "birthplace",
    "matricule_ins": "ins",
    "nature_ins": "ins_kind",
    "statut_identite": "status",
    "telephone": "phone",
    "adresse": "street",
    "code_postal": "postal",
    "commune": "city",
    "information": "informed",
    "opposition": "opposed",
    "equipe_rpps": "team",
    "base_legale": "basis",
}
# What is written in a cell, without accents or case, and what it means.
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "sexe": {"f": "female", "femme": "female", "m": "male", "homme": "male", "i": "unknown", "inconnu": "unknown"},
    "nature_ins": {"nir": "8", "nia": "9", "test": "10", "demonstration": "11", "": ""},
    "statut_identite": {
        "provisoire": "PROV", "validee": "VALI", "recuperee": "RECUP", "qualifiee": "QUAL",
        "prov": "PROV", "vali": "VALI", "recup": "RECUP", "qual": "QUAL", "": "PROV",
    },
    "information": dict(zip(("oral", "papier", "en ligne"), MEANS, strict=True)),
    "opposition": {"non": "", "oui": "yes"},
    "base_legale": {
        "reconnue": "recognised", "meme structure": "same-structure", "organisation formelle": "formal-organisation",
        "": "recognised",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """`line` as the spreadsheet counts them, 0 for the whole file; `words` to be translated, with `{given}` for `given`."""

    line: int
    column: str
    words: str
    given: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One person: the fields of the form at the desk, and the RPPS numbers of the team."""

    line: int
    form: Mapping[str, str]
    team: Sequence[str]


def read_people(content: bytes) -> tuple[list[Row], list[Problem]]:
    """(rows, problems); one of the two is empty."""
    if len(content) > MOST_BYTES:
        return [], [Problem(0, "", _("Le fichier dépasse 2 Mo."))]
    text = decoded(content)
    if "\0" in text:
        return [], [Problem(0, "", _("Ce fichier n'est pas un texte : enregistrez le tableau au format CSV."))]
    first = text.split("\n", 1)[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(";,\t", key=first.count), strict=True)
    try:
        headings = [_plain(one).replace(" ", "_") for one in next(lines, [])]
        cells = [(lines.line_num, line) for line in lines if any(cell.strip() for cell in line)]
    except csv.Error:
        return [], [Problem(lines.line_num, "", _("Cette ligne n'est pas celle d'un tableau."))]
    problems = _of_headings(headings)
    if not cells:
        problems.append(Problem(0, "", _("Le fichier ne contient personne.")))
    if len(cells) > MOST_ROWS:
        problems.append(Problem(0, "", _("Au plus 1 000 personnes par fichier : partagez-le.")))
    if problems:
        return [], problems
    rows = []
    for number, line in cells:
        if len(line) > len(headings):
            problems.append(Problem(number, "", _("Cette ligne a plus de cases que de titres.")))
            continue
        row, wrong = _row(number, dict(zip(headings, line, strict=False)))
        problems += wrong
        rows.append(row)
    return ([], problems) if problems else (rows, [])


def decoded(content: bytes) -> str:
    """The text of a file, in whichever of the three alphabets a spreadsheet has written it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # « Texte Unicode » of a spreadsheet
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _plain(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text.strip().casefold())
    return re.sub(r"\s+", " ", "".join(one for one in parts if not unicodedata.combining(one)))


def _of_headings(headings: Sequence[str]) -> list[Problem]:
    unknown = [one for one in headings if one and one not in COLUMNS]
    missing = [one for one in NEEDED if one not in headings]
    twice = sorted({one for one in headings if one and headings.count(one) > 1})
    return [
        *(Problem(1, one, _("Cette colonne n'est pas connue.")) for one in unknown),
        *(Problem(1, one, _("Cette colonne manque.")) for one in missing),
        *(Problem(1, one, _("Cette colonne est là deux fois.")) for one in twice),
    ]


def _row(number: int, cells: Mapping[str, str]) -> tuple[Row, list[Problem]]:
    form, problems = {}, []
    for heading, field in COLUMNS.items():
        typed = cells.get(heading, "").strip()
        known = WORDS.get(heading)
        if known is not None:
            if _plain(typed) not in known:
                words = _("« {given} » n'est pas une réponse connue.") if typed else _("La réponse manque.")
                problems.append(Problem(number, heading, words, typed))
            form[field] = known.get(_plain(typed), "")
        else:
            form[field] = _date(typed) if heading == "date_naissance" else typed
    team = form.pop("team").replace(",", " ").split()
    told = {one.column for one in problems}
    problems += [one for one in _of_person(number, form) if one.column not in told]
    return Row(number, form, team), problems


def _date(typed: str) -> str:
    """As ISO, from 12/05/1950 too; anything else as typed, for the desk's form to refuse."""
    try:
        return datetime.strptime(typed, "%d/%m/%Y").date().isoformat()  # a day of birth has no zone
    except ValueError:
        return typed


def _of_person(number: int, form: Mapping[str, str]) -> list[Problem]:
    """All that the desk's own form would say, in its words; it says one thing at a time, the others once that is put right."""
    rest, found = dict(form), []
    if form["ins"] and form["ins_kind"] not in INS:
        found.append(Problem(number, "nature_ins", MISSING["ins"]))
        rest["ins"] = ""
    elif len(typed := "".join(form["ins"].split()).upper()) == 15 and not ins_ok(typed):
        found.append(Problem(number, "matricule_ins", MISSING["ins_key"]))
    while True:
        try:
            patient(rest)
        except Incomplete as missing:
            heading = next(one for one, field in COLUMNS.items() if field == missing.field)
            found.append(Problem(number, heading, MISSING[missing.said]))
            rest[missing.field] = _RIGHT.get(missing.field, "")
        else:
            return found


_RIGHT: Final = {"family": "X", "given": "X", "birth": EARLIEST.isoformat(), "sex": "unknown"}
"""In the place of what is wrong; nothing, where nothing is needed."""
