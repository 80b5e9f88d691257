"""In English, those who work in the territory are called in English: their roles are the project's own words."""

import html
import re

import pytest

from liaison.services.pages.languages import translations
from liaison.services.pages.role_names import every_name

from ..running_sandbox import Running
from .conftest import behind

pytestmark = pytest.mark.http

PAGES = {
    "aide": ("/aujourdhui", "/dossiers/{bpco_04}/opposition"),
    "gp": ("/dossiers/{bpco_04}", "/dossiers/{bpco_04}/equipe", "/dossiers/{bpco_04}/accords", "/dossiers/{bpco_04}/mesures",
           "/dossiers/{bpco_04}/documents", "/equipe"),
    "home_service_manager": ("/equipe", "/equipe/tournee", "/telephones"),
    "practice_referent": ("/equipe",),
    "coordinator": ("/cohorte",),
    "patient_a": ("/mes-connexions",),
}  # fmt: skip


@pytest.mark.parametrize("door", PAGES)
def test_no_role_is_called_in_french_on_an_english_page(sandbox: Running, door: str) -> None:
    say = translations("en").gettext
    french = sorted({name for name in every_name() if say(name).casefold() != name.casefold()})
    ids = {one["key"]: one["id"] for one in sandbox.known["patients"]}
    with behind(sandbox, door) as browser:
        for path in PAGES[door]:
            answer = browser.get(path.format_map(ids), params={"lang": "en"})
            assert answer.status_code == 200, path
            text = html.unescape(re.sub(r"<[^>]+>", "\n", answer.text))
            # Beside a name, or alone: what people wrote in sentences stays as it is.
            called = rf"(?i)(?:\(|, |^\s*)({'|'.join(map(re.escape, french))})\)?\s*$"
            assert re.findall(called, text, re.MULTILINE) == [], path
