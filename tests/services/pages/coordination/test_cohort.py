"""The words of the cohort's page."""

import pytest

from liaison.services.pages.coordination.cohort import trend_said
from liaison.services.pages.languages import translations


@pytest.mark.parametrize(
    ("trend", "language", "said"),
    [
        (-3, "fr", "en baisse de 3"),
        (2, "fr", "en hausse de 2"),
        (-3, "en", "down by 3"),
        (2, "en", "up by 2"),
        (1, "fr", ""),
        (0, "en", ""),
    ],
)
def test_how_the_score_moved_is_said_in_the_reader_s_language(trend: int, language: str, said: str) -> None:
    assert trend_said(trend, translations(language).gettext) == said
