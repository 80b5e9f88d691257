"""What each rule rests on, in the reader's language."""

import re

from liaison.auth.access.table import packaged
from liaison.services.pages.languages import translations
from liaison.services.pages.rules.rules import basis_said


def test_the_basis_of_a_rule_is_said_in_english_and_an_article_of_law_as_it_is() -> None:
    told = [basis_said(row.basis, translations("en").gettext) for row in packaged().rows]

    assert "our default, until the official matrix" in told
    assert "our default; CSP R.6315-3" in told
    assert not [basis for basis in told if re.search("défaut|valider|l'auteur|premier| ;", basis)]
    assert [basis_said(row.basis, translations("fr").gettext) for row in packaged().rows] == [
        row.basis for row in packaged().rows
    ]
