"""What software asks for, in words that need no engineer: every type, and what a granular scope is limited to."""

import re

import pytest

from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.services.oauth import consent, kinds_of_data
from liaison.services.pages.languages import translations

LOINC = "http://loinc.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_type_has_words_and_no_two_read_the_same(language: str) -> None:
    say = translations(language).gettext
    names = [kinds_of_data.called(type_, say) for type_ in sorted(RESOURCE_TYPES)]

    assert len(set(names)) == len(names)
    plain = [re.sub(r" \(\w+\)$", "", one) for one in names]
    assert [one for one in plain if re.search(r"[a-z][A-Z]", one)] == []  # no name of engineers


def test_everything_is_said_in_kinds_and_leaves_none_out() -> None:
    reading, writing = consent.lines(read_scopes("patient/*.cruds"), str)

    assert sorted(kinds_of_data.in_all_of_it()) == sorted(RESOURCE_TYPES)
    assert reading.data == "Tout ce que vous pouvez voir vous-même"
    assert len(reading.kinds) == len(set(reading.kinds)) <= 15  # to be read
    assert {"Traitements, ordonnances et vaccins", "Documents et comptes rendus"} <= set(reading.kinds)
    assert writing.kinds == ()  # said once
    [alone] = consent.lines(read_scopes("patient/*.c"), str)
    assert alone.kinds == reading.kinds
    [one] = consent.lines(read_scopes("patient/Observation.rs"), str)
    assert one.kinds == ()


@pytest.mark.parametrize(
    ("query", "french", "english"),
    [
        pytest.param(f"code={LOINC}|29463-7", "seulement «\u00a0Poids\u00a0»", "only “Weight”", id="a code that is known"),
        pytest.param("code=29463-7", "seulement «\u00a0Poids\u00a0»", "only “Weight”", id="the same without its system"),
        pytest.param(
            f"code={LOINC}|29463-7,{LOINC}|8302-2", "seulement «\u00a0Poids\u00a0» ou «\u00a0Taille\u00a0»", "only “Weight” or “Height”", id="two"
        ),
        pytest.param(
            f"code={LOINC}|1-8", "un seul type de mesure : code 1-8 (LOINC)", "one kind of measure alone: code 1-8 (LOINC)",
            id="a code that is not",
        ),
        pytest.param(
            f"code={LOINC}|1-8,{LOINC}|29463-7", "seulement : type, code 1-8 (LOINC) ou code 29463-7 (LOINC)",
            "only: type, code 1-8 (LOINC) or code 29463-7 (LOINC)", id="one of each",
        ),
        pytest.param(f"category={CATEGORY}|vital-signs", "seulement les constantes", "only vital signs", id="a category"),
        pytest.param("category=laboratory", "seulement les résultats de laboratoire", "only laboratory results", id="without system"),
        pytest.param(
            "category=http://example.org/mine|vital-signs", "seulement : catégorie, code vital-signs (http://example.org/mine)",
            "only: category, code vital-signs (http://example.org/mine)", id="of another system",
        ),
        pytest.param(
            "date=ge2026-01-01", "seulement à partir du 1er janv. 2026", "only from 1 Jan 2026 on", id="a day"
        ),
        pytest.param("date=ge2026-13-01", "seulement : date, ge2026-13-01", "only: date, ge2026-13-01", id="no day"),
        pytest.param("status=final", "seulement : état, final", "only: state, final", id="a bare code"),
        pytest.param(
            f"code={LOINC}%7C29463-7", "seulement «\u00a0Poids\u00a0»", "only “Weight”", id="written with per cent"
        ),
        pytest.param(
            f"category=laboratory&code={LOINC}|", "seulement les résultats de laboratoire, un seul type de mesure : tout code de LOINC",
            "only laboratory results, one kind of measure alone: any code of LOINC", id="two limits",
        ),
    ],
)  # fmt: skip
def test_a_limit_is_said_in_words(query: str, french: str, english: str) -> None:
    scopes = read_scopes(f"user/Observation.rs?{query}")

    [line] = consent.lines(scopes, translations("fr").gettext, "fr")
    assert line.data == f"Mesures et résultats ({french})"
    [line] = consent.lines(scopes, translations("en").gettext, "en")
    assert line.data == f"Measurements and results ({english})"


def test_a_place_of_care_is_said_in_words() -> None:
    [line] = consent.lines(read_scopes("user/Encounter.rs?class=HH"), str)

    assert line.data == "Consultations, visites et séjours (seulement « Au domicile »)"
