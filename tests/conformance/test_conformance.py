"""Every check of `make conformance`, on the sandbox of the other tests."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from ..services.running_sandbox import Running
from .checks import Check, NotRun
from .outside import Outside
from .suite import every

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def outside(sandbox: Running) -> Iterator[Outside]:  # the fixture, as a parameter
    with closing(Outside(sandbox.known)) as opened:
        yield opened


@pytest.mark.parametrize("check", every(), ids=lambda check: f"{check.group}: {check.name}")
def test_smart(outside: Outside, check: Check) -> None:
    try:
        check.run(outside)
    except NotRun as reason:
        pytest.skip(str(reason))


def test_a_server_that_does_otherwise_fails(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each check that looks at the token response or the configuration sees a fault planted in it."""
    launched = outside.standalone
    broken = {**launched.content, "token_type": "mac", "patient": "another", "scope": "patient/*.cruds"}
    monkeypatch.setitem(outside.__dict__, "standalone", launched._replace(content=broken, returned={"code": "x"}))
    plain = {**outside.configuration, "code_challenge_methods_supported": ["S256", "plain"]}
    monkeypatch.setitem(outside.__dict__, "configuration", plain)
    seen = {"smart_token_response_body_stu2_2", "smart_app_redirect_stu2", "well_known_capabilities_stu2"}
    for check in every():
        if check.name in seen and check.group != "EHR launch":
            with pytest.raises((AssertionError, KeyError)):
                check.run(outside)
