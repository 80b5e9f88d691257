"""A visitor tampers with the journal of the sandbox, sees that it is named, on the page too, and puts it back."""

import html
import re

import pytest

from ..console import typed
from .conftest import Running, behind, environment

WHOLE = "Oui. Rien n'a été retiré, ajouté ni changé."


def tamper(sandbox: Running, *words: str, code: int = 0) -> str:
    done = typed(environment(), "sandbox", "tamper", *words, "--data", str(sandbox.folder))
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def seen(sandbox: Running) -> str:
    with behind(sandbox, "auditor") as browser:
        return html.unescape(browser.get("/journal/integrite").text)


@pytest.mark.parametrize("how", ["change", "delete", "swap"])
def test_what_is_done_to_a_line_is_named_until_it_is_put_back(sandbox: Running, how: str) -> None:
    assert WHOLE in seen(sandbox)
    try:
        said = tamper(sandbox, how, "--line", "20")
        (where,) = re.findall(r"BROKEN at (position \d+)", said)
        assert where in ("position 20", "position 21")
        assert "already" in tamper(sandbox, how, code=1)
        page = seen(sandbox)
        assert "Non. Le journal a été modifié." in page
        assert f"{where.replace('position', 'Ligne')} du journal" in page
    finally:
        assert "Whole up to the checkpoint" in tamper(sandbox, "undo")
    assert WHOLE in seen(sandbox)
    assert "Nothing was tampered with" in tamper(sandbox, "undo", code=1)


def test_a_line_that_is_not_there_is_refused(sandbox: Running) -> None:
    assert "The journal has lines 0 to" in tamper(sandbox, "delete", "--line", "99999999", code=1)
    assert WHOLE in seen(sandbox)


def test_acts_are_not_invented_while_it_runs(sandbox: Running) -> None:
    done = typed(environment(), "journal", "generate", "--entries", "1", "--data", str(sandbox.folder))
    assert "stop it first" in done.stderr
