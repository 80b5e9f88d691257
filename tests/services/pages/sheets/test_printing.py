"""Sheets to print: PDFs whose words can be found again, whatever a name is made of."""

import re

import pytest

from liaison.services.pages.sheets.printing import Part, pdf

from ...oauth.conftest import Place


def words(document: bytes) -> str:
    """The text of the sheet, line after line."""
    found = [bytes.fromhex(text.decode()).decode("cp1252") for text in re.findall(rb"<([0-9a-f]*)> Tj", document)]
    return "\n".join(found)


def test_every_word_is_on_the_sheet_and_on_its_pages() -> None:
    parts = [Part("title", "Titre"), *[Part("text", f"Phrase {number} " + "mot " * 60) for number in range(40)]]
    made = pdf(parts, "Titre", "fr")

    assert made.startswith(b"%PDF-")
    assert made.count(b"/MediaBox") > 1
    assert all(f"Phrase {number} " in words(made) for number in range(40))
    assert max(len(line) for line in words(made).splitlines()) <= 90
    pages = made.count(b"/MediaBox")
    assert re.findall(r"^\d+/\d+$", words(made), re.MULTILINE) == [
        f"{number}/{pages}" for number in range(1, pages + 1)
    ]
    letters = pdf([Part("text", "Une"), Part("page"), Part("text", "Autre")], "", "fr")
    assert words(letters) == "Une\nAutre"
    assert words(pdf([Part("text", "Seule")], "", "fr")) == "Seule"


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Œuvré d’Aÿ", "Œuvré d’Aÿ"),
        ("Dvořák", "Dvorák"),
        ("a) Tj (b", "a) Tj (b"),
        ("日", "?"),
        ("e\u0301", "é"),
    ],
)
def test_a_name_is_written_in_the_alphabet_of_the_sheet(name: str, written: str) -> None:
    assert words(pdf([Part("text", name)], "", "fr")) == written


async def test_what_is_shared_and_with_whom_is_printed(place: Place) -> None:
    async with place.signed_in() as browser:
        general = await browser.get("/accueillir/feuille")
        own = await browser.get(f"/dossiers/{place.patient}/feuille")
        blank = await browser.get("/opposition/feuille?lang=en")

        assert {one.headers["content-type"] for one in (general, own, blank)} == {"application/pdf"}
        told = words(general.content)
        assert "Infirmier : " in told
        assert "R.1110-3" in told
        [aide] = re.findall(r"Aide à domicile : (.*(?:\n.*)?)", told)
        assert "les traitements" not in aide
        assert "Patient LE GOFF" in words(own.content)
        assert "I object to the sharing" in words(blank.content)
        assert (await browser.get(f"/dossiers/{place.other_patient}/feuille")).status_code == 404
