"""A practice's list, as spreadsheets write it: what is read, and what is refused by its line and column."""

import pytest

from liaison.services.pages.reception.people_file import COLUMNS, MOST_ROWS, NEEDED, read_people
from liaison.services.pages.reception.person import patient

HEAD = "nom_naissance;prenom;date_naissance;sexe;information;opposition"
LINE = "Le Goff;Jeanne;1948-03-02;F;oral;non"


def test_a_line_becomes_the_form_of_the_desk() -> None:
    head = f"{HEAD};nom_utilise;matricule_ins;nature_ins;statut_identite;equipe_rpps;base_legale"
    line = f"{LINE};Robic;2 48 03 29 232 001 37;test;récupérée;10100000008, 10100000016;Même structure"

    rows, problems = read_people(f"{head}\n{line}\n".encode())

    assert problems == []
    assert rows[0].line == 2
    assert rows[0].team == ["10100000008", "10100000016"]
    assert {name: value for name, value in rows[0].form.items() if value} == {
        "family": "Le Goff", "used": "Robic", "given": "Jeanne", "birth": "1948-03-02", "sex": "female",
        "ins": "2 48 03 29 232 001 37", "ins_kind": "10", "status": "RECUP", "informed": "oral", "basis": "same-structure",
    }  # fmt: skip


def test_an_address_is_kept_whole() -> None:
    head = f"{HEAD};telephone;adresse;code_postal;commune"
    rows, problems = read_people(f"{head}\n{LINE};02 98 00 00 00;3 rue de la Mairie;29270;Carhaix\n".encode())

    assert problems == []
    tree = patient(rows[0].form)
    assert tree["address"] == [{"line": ["3 rue de la Mairie"], "city": "Carhaix", "postalCode": "29270"}]
    assert tree["telecom"] == [{"system": "phone", "value": "02 98 00 00 00"}]


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEAD}\r\n{LINE}\r\n".encode(),
        f"{HEAD}\n{LINE}\n".replace("Jeanne", "Hélène").encode("cp1252"),
        f"{HEAD}\n{LINE}\n".encode("utf-16"),
        f"{HEAD}\n{LINE}\n".replace(";", ",").encode(),
        f"{HEAD}\n{LINE}\n".replace(";", "\t").encode(),
        f"{HEAD.replace('nom_naissance', 'Nom naissance')}\n{LINE}\n\n;;;;;\n".encode(),
        f"{HEAD}\n{LINE.replace('1948-03-02', '02/03/1948')}\n".encode(),
        f'{HEAD}\n"Le Goff";"Jeanne";1948-03-02;Femme;Oral;Non\n'.encode(),
    ],
    ids=[
        "utf-8 of a spreadsheet",
        "windows-1252",
        "utf-16",
        "commas",
        "tabs",
        "headings and empty lines",
        "french date",
        "quotes",
    ],
)
def test_what_spreadsheets_write_is_read(content: bytes) -> None:
    rows, problems = read_people(content)

    assert problems == []
    assert [(row.form["family"], row.form["birth"], row.form["sex"]) for row in rows] == [
        ("Le Goff", "1948-03-02", "female")
    ]


@pytest.mark.parametrize(
    ("head", "line", "where"),
    [
        (HEAD, LINE.replace("Le Goff", ""), [(2, "nom_naissance")]),
        (HEAD, LINE.replace("1948-03-02", "31/02/1948"), [(2, "date_naissance")]),
        (HEAD, LINE.replace("1948-03-02", "02/03/2090"), [(2, "date_naissance")]),
        (HEAD, LINE.replace("1948-03-02", "1948-W10-2"), [(2, "date_naissance")]),
        (HEAD, LINE.replace("Le Goff", "x" * 101), [(2, "nom_naissance")]),
        (HEAD, LINE.replace("Le Goff", "Le\u202eGoff"), [(2, "nom_naissance")]),
        (f"{HEAD};adresse", f"{LINE};1 rue\u200bHaute", [(2, "adresse")]),
        (f"{HEAD};telephone", f"{LINE};chez sa fille", [(2, "telephone")]),
        (f"{HEAD};code_lieu_naissance", f"{LINE};Brest", [(2, "code_lieu_naissance")]),
        (f"{HEAD};code_postal", f"{LINE};29 200", [(2, "code_postal")]),
        (f"{HEAD};adresse", f"{LINE};{'x' * 101}", [(2, "adresse")]),
        (HEAD, LINE.replace("F;", "X;"), [(2, "sexe")]),
        (HEAD, LINE.replace("oral", ""), [(2, "information")]),
        (HEAD, LINE.replace("non", "peut-être"), [(2, "opposition")]),
        (HEAD, f"{LINE};de trop", [(2, "")]),
        (f"{HEAD};matricule_ins", f"{LINE};248032923200137", [(2, "nature_ins")]),
        (f"{HEAD};matricule_ins;nature_ins", f"{LINE};24803292320017;test", [(2, "matricule_ins")]),
        (f"{HEAD};matricule_ins;nature_ins", f"{LINE};248032923200173;test", [(2, "matricule_ins")]),
        (f"{HEAD};taille", f"{LINE};160", [(1, "taille")]),
        (HEAD.replace(";sexe", ""), LINE.replace("F;", ""), [(1, "sexe")]),
        (f"{HEAD};prenom", f"{LINE};Anne", [(1, "prenom")]),
        (HEAD, "", [(0, "")]),
        (HEAD, f'{LINE}\n"Le Goff', [(3, "")]),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_and_gives_no_row(head: str, line: str, where: list[tuple[int, str]]) -> None:
    rows, problems = read_people(f"{head}\n{line}\n".encode())

    assert rows == []
    assert [(one.line, one.column) for one in problems] == where


def test_every_problem_of_a_file_is_told_at_once() -> None:
    wrong = LINE.replace("non", "").replace("1948-03-02", "31/02/1948").replace("Le Goff", "")

    rows, problems = read_people(f"{HEAD}\n{LINE}\n{wrong}\n{wrong}\n".encode())

    assert rows == []
    assert [(one.line, one.column) for one in problems] == [
        (line, column) for line in (3, 4) for column in ("opposition", "nom_naissance", "date_naissance")
    ]


def test_a_file_has_its_limits() -> None:
    lines = "\n".join([LINE] * (MOST_ROWS + 1))

    assert read_people(f"{HEAD}\n{lines}\n".encode())[1][0].line == 0
    assert read_people(b"x" * (3 * 1024 * 1024))[1][0].line == 0
    assert read_people(b"")[1] != []


@pytest.mark.parametrize("content", [b"PK\x03\x04\x14\0\x06\0", f"{HEAD}\0\n{LINE}\n".encode()], ids=["xlsx", "nul"])
def test_what_is_no_text_is_said_to_be_none(content: bytes) -> None:
    rows, problems = read_people(content)

    assert rows == []
    assert "format CSV" in problems[0].words


def test_what_is_needed_is_a_column() -> None:
    assert set(NEEDED) < set(COLUMNS)
