"""What people are called on the pages: by their role, in their gender where French has another word."""

import pytest

from liaison.auth.access.table import packaged
from liaison.services.pages.clinician.routes import READERS
from liaison.services.pages.languages import translations
from liaison.services.pages.role_names import ROLE_NAMES, bare, role_name


@pytest.mark.parametrize(
    ("code", "gender", "stands_for", "name"),
    [
        ("nurse", "female", "", "Infirmière"),
        ("nurse", "male", "", "Infirmier"),
        ("nurse", "", "", "Infirmier"),
        ("gp", "female", "", "Médecin généraliste"),
        ("auditor", "female", "", "Auditrice des accès"),
        ("substitute", "female", "nurse", "Infirmière remplaçante"),
        ("substitute", "female", "gp", "Médecin remplaçante"),
        ("substitute", "male", "gp", "Médecin remplaçant"),
        ("substitute", "female", "", "Remplaçante"),
        ("unheard-of", "female", "", ""),
    ],
    ids=str,
)
def test_a_role_is_named_in_the_gender_of_its_holder(code: str, gender: str, stands_for: str, name: str) -> None:
    assert role_name(code, str, stands_for, gender) == name


@pytest.mark.parametrize("code", ROLE_NAMES)
def test_english_has_one_word_for_both(code: str) -> None:
    english = translations("en").gettext

    assert role_name(code, english, "nurse", "female") == role_name(code, english, "nurse", "male")


def test_a_secretary_alone_of_those_who_open_records_reads_nothing_of_what_they_hold() -> None:
    assert {"secretary"} == {role for role in READERS if bare(packaged(), role)}
