"""Whoever signed is named in the reader's language."""

import pytest

from liaison.services.pages.languages import translations
from liaison.services.pages.layout import environment
from liaison.services.pages.reading.people import said


@pytest.mark.parametrize(
    ("display", "english"),
    [
        ("Sylvie Le Dantec (aide à domicile)", "Sylvie Le Dantec (Home aide)"),
        ("Gwenola Riou (coordinatrice de parcours)", "Gwenola Riou (Care coordinator)"),
        ("Dr Inès Moreau, Médecin remplaçante", "Dr Inès Moreau, Substitute doctor"),
        ("Jean (mon voisin)", "Jean (mon voisin)"),
        ("Anne, sœur de la patiente", "Anne, sœur de la patiente"),
        ("Sans rôle", "Sans rôle"),
        ("", ""),
    ],
)
def test_a_role_is_said_in_the_reader_s_words_and_a_name_as_it_is(display: str, english: str) -> None:
    assert said(display, translations("en").gettext) == english
    assert said(display, translations("fr").gettext) == display


def test_pages_name_authors_so() -> None:
    tree = {"resourceType": "Observation", "performer": [{"display": "Maëlle Tanguy (infirmière)"}]}

    assert environment("en").filters["author"](tree) == "Maëlle Tanguy (Nurse)"
    assert environment("fr").filters["author"](tree) == "Maëlle Tanguy (infirmière)"
