"""One territory, one enrolled telephone and one desk for the tests of this folder: to make them takes most of the time."""

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from ..running_sandbox import Running, sandbox
from .telephone import Telephone, person

__all__ = ["sandbox"]


@pytest.fixture(scope="session")
def enrolled(sandbox: Running) -> Iterator[Telephone]:  # the fixture, as a parameter
    """A telephone of the service. Nobody is signed in."""
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        made = Telephone(http)
        made.sign_in(person(sandbox, "home_service_manager"))
        made.enrol("Téléphone d'essai")
        made.sign_out()
        yield made


@pytest.fixture
def telephone(enrolled: Telephone, sandbox: Running) -> Telephone:
    """With its aide signed in, and her tour as it is now."""
    enrolled.wrong = timedelta()
    if enrolled.who != "aide":
        enrolled.sign_in(person(sandbox, "aide"))
    answer = enrolled.fetch()
    assert answer.status_code == 200, answer.text
    return enrolled


@pytest.fixture(scope="session")
def manager(sandbox: Running) -> Iterator[Telephone]:
    """The desk of the service, signed in."""
    with httpx.Client(base_url=str(sandbox.known["issuer"]), timeout=60) as http:
        made = Telephone(http)
        made.sign_in(person(sandbox, "home_service_manager"))
        yield made
