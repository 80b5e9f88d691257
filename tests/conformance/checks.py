"""A check has the name of the Inferno test it is written after, and the place in the specification that asks for it.

https://github.com/inferno-framework/smart-app-launch-test-kit (suite smart_stu2_2). Names with `liaison_` have no Inferno
test: what the specification asks and that suite does not look at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from .outside import Outside

SMART: Final = "https://hl7.org/fhir/smart-app-launch/STU2.2"
Run = Callable[[Outside], None]


class NotRun(Exception):
    """The check does not apply where it is run; the text says why, and where it is looked at instead."""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    group: str
    says: str
    cites: str
    run: Run


EVERY: list[Check] = []


def check(group: str, name: str, says: str, cites: str) -> Callable[[Run], Run]:
    """Adds a check to EVERY. It fails by AssertionError."""

    def add(run: Run) -> Run:
        EVERY.append(Check(name, group, says, cites if "://" in cites else f"{SMART}/{cites}", run))
        return run

    return add


def is_token_response(content: dict[str, Any]) -> None:
    """smart_token_response_body: the required fields, of the right types."""
    for name in ("access_token", "token_type", "scope"):
        assert isinstance(content.get(name), str) and content[name], f"{name} is missing: {content}"
    assert content["token_type"].lower() == "bearer"
    assert isinstance(content.get("expires_in"), int)
    for one in content.get("fhirContext", []):
        assert "/" in one["reference"]
        assert not one["reference"].startswith(("Patient/", "Encounter/"))
