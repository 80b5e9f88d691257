"""Exercices beside roles: matched by numbers, never by name; what has no place here is named with its reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.auth.people.pro_sante_connect import exercices
from liaison.auth.people.pro_sante_connect.exercices import Place
from liaison.auth.people.pro_sante_connect.identity import FINESS, IDNST, SIRENE, Exercice, Structure, professional
from liaison.auth.people.roles import HeldRole
from liaison.fhir.vault import PatientKey

SITE, HOSPITAL = "290000017", "290000025"
HELD = (HeldRole(1, 10, "nurse"), HeldRole(2, 20, "coordinator"))
KNOWN = {(FINESS, SITE): {10}, (IDNST, f"1{SITE}"): {10}, (FINESS, HOSPITAL): {30, 31}}


def stated(profession: str = "60", **activity: Any) -> Exercice:
    said = {"SubjectNameID": "899700000017"}
    one = {"codeProfession": profession, "activities": [{"codeModeExercice": "L", **activity}]}
    (read,) = professional({**said, "SubjectRefPro": {"exercices": [one]}}).exercices
    return read


@pytest.mark.parametrize(
    ("exercice", "place"),
    [
        (stated(numeroFinessSite=SITE), Place.HERE),
        (stated(identifiantTechniqueDeLaStructure=f"1{SITE}"), Place.HERE),
        (stated(numeroFinessSite="290000099", numeroFinessetablissementJuridique=SITE), Place.HERE),
        (stated(), Place.ANYWHERE),
        (stated(raisonSocialeSite="Maison de santé de Kervanec"), Place.ANYWHERE),  # a name is no number
        (stated(numeroFinessSite=HOSPITAL), Place.NO_ROLE),
        (stated(numeroFinessSite="290000099"), Place.UNKNOWN),
        (stated("10", numeroFinessSite=SITE), Place.NO_ROLE),  # a doctor, where she holds a nurse's role
        (stated("10"), Place.NO_ROLE),
        (stated("99", numeroFinessSite=SITE), Place.UNREAD),
        (stated("", numeroFinessSite=SITE), Place.UNREAD),
    ],
)
def test_what_becomes_of_an_exercice(exercice: Exercice, place: Place) -> None:
    assert [one.place for one in exercices.placed([exercice], HELD, KNOWN)] == [place]


def test_a_role_that_needs_no_profession_is_nobodys_place() -> None:
    assert exercices.placed([stated(numeroFinessSite=SITE)], [HeldRole(3, 10, "coordinator")], KNOWN)[0].place == (
        Place.NO_ROLE
    )


def test_numbers_are_read_and_nothing_else_is() -> None:
    read = stated(
        numeroFinessSite=" 290000017 ",
        numeroSiretSite="73282932000074",
        numeroSirenSite="7328|29320",
        numeroFinessetablissementJuridique=7,
        raisonSocialeSite="CABINET\x00",
        enseigneCommercialeSite="Cabinet du bourg",
    )
    assert read.structures == (
        Structure(
            "Cabinet du bourg",
            ((FINESS, SITE), (IDNST, f"1{SITE}"), (SIRENE, "73282932000074"), (IDNST, "373282932000074")),
        ),
    )


words = st.text(max_size=20)
structures = st.builds(Structure, words, st.lists(st.tuples(words, words), max_size=3).map(tuple))


@given(
    st.lists(st.builds(Exercice, st.frozensets(words), words, st.lists(structures, max_size=3).map(tuple)), max_size=4)
)
def test_what_is_kept_of_them_comes_back_and_says_nothing_without_the_key(listed: list[Exercice]) -> None:
    key = PatientKey(0, b"k" * 32)
    assert exercices.opened(key, exercices.sealed(key, listed)) == listed
    assert exercices.opened(PatientKey(0, b"o" * 32), exercices.sealed(key, listed)) == []
    assert exercices.opened(key, None) == []
