"""What the tests of the sandbox share; `sandbox` itself is a fixture of tests/services."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from ..running_sandbox import Running, environment, liaison, start, stop

__all__ = ["Running", "behind", "environment", "hidden", "liaison", "start", "stop"]


@contextmanager
def behind(sandbox: Running, door: str) -> Iterator[httpx.Client]:
    """A browser that has gone in by this door of the front page."""
    with httpx.Client(base_url=sandbox.known["issuer"], timeout=60) as browser:
        csrf = hidden(browser.get("/territoire").text, "csrf")
        assert browser.post("/territoire/entrer", data={"csrf": csrf, "porte": door}).status_code == 303
        yield browser


def hidden(text: str, name: str) -> str:
    """What the form's hidden field of that name holds."""
    return text.split(f'name="{name}" value="')[1].split('"')[0]
