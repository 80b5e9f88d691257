"""What the checks say of software that does right, and that each of them sees the fault it is there for."""

import json
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from liaison.auth.vendors.conformance import digest_of, read_report
from liaison.services.sandbox.token import assertion

from ...services.running_sandbox import Running
from .__main__ import _port, registration
from .checks import EVERY, Software
from .report import judged, report
from .watching import Exchange, Watch

SERVER = "http://127.0.0.1:9"
CLIENT = "cabinet-plus"
BACK = "https://cabinet.example/cb"
KEY = ECKey.generate_key("P-384", {"kid": "1"})
FILE: dict[str, Any] = {
    "client_id": CLIENT,
    "kind": "app",
    "algorithm": "ES384",
    "binding": "dpop",
    "redirect_uris": [BACK],
    "launch_url": "https://cabinet.example/launch",
    "scopes": [{"scope": "launch", "reason": "x"}, {"scope": "user/Patient.rs", "reason": "x"}],
}


def signed(**claims: Any) -> str:
    made = {"iss": CLIENT, "sub": CLIENT, "aud": f"{SERVER}/oauth/token", "jti": str(uuid.uuid4()), **claims}
    return jwt.encode({"alg": "ES384", "kid": "1"}, made, KEY, algorithms=["ES384"])


def token(access: str, proof: str = "", **form: str) -> Exchange:
    form = {"client_assertion": signed(), "client_id": CLIENT, **form}
    return Exchange("POST", "/oauth/token", {}, form, "", proof or signed(), 200, {"access_token": access})


def call(access: str, proof: str = "", status: int = 200, **query: str) -> Exchange:
    return Exchange("GET", "/fhir/Patient", query, {}, f"DPoP {access}", proof or signed(), status)


def asked(**changes: str) -> Exchange:
    query = {
        "client_id": CLIENT,
        "redirect_uri": BACK,
        "scope": "launch user/Patient.rs",
        "state": uuid.uuid4().hex,
        "aud": f"{SERVER}/fhir",
        "launch": "handle",
        "code_challenge": uuid.uuid4().hex + "x" * 11,
        "code_challenge_method": "S256",
        **changes,
    }
    return Exchange("GET", "/oauth/authorize", query, {}, "", "", 303)


def right() -> list[Exchange]:
    found = Exchange("GET", "/fhir/.well-known/smart-configuration")
    first = asked()
    # Signing in leads back to the same request; a second launch is another one.
    return [
        *(found, first, first, token("t1", code="c1"), call("t1"), call("t1"), call("t1"), call("t1")),
        *(asked(), token("t2", code="c2"), token("t3", refresh_token="r1"), call("t3"), call("t3")),
    ]


def results(seen: list[Exchange], **changes: Any) -> dict[str, str]:
    return {one["name"]: one["result"] for one in judged(Software({**FILE, **changes}, SERVER, seen))}


def test_software_that_does_right_passes_every_check() -> None:
    assert set(results(right()).values()) == {"passed"}


def test_nothing_seen_is_nothing_passed() -> None:
    assert set(results([]).values()) == {"not-run"}
    assert set(results(right(), client_id="another").values()) == {"not-run"}


PROOF, STATE = signed(), uuid.uuid4().hex
FAULTS: dict[str, Callable[[], list[Exchange]]] = {
    "discovery": lambda: right()[1:],
    "pkce": lambda: [*right(), asked(code_challenge_method="plain")],
    "state": lambda: [*right(), asked(state="short")],
    "aud": lambda: [*right(), asked(aud="https://elsewhere.example/fhir")],
    "redirect": lambda: [*right(), asked(redirect_uri=BACK + "/")],
    "scopes": lambda: [*right(), asked(scope="user/*.cruds")],
    "launch": lambda: [one for one in right() if "launch" not in one.query],
    "code": lambda: [*right(), token("t4", code="c1")],
    "refresh": lambda: [*right(), token("t4", refresh_token="r1")],
    "assertion": lambda: [*right(), token("t4", client_assertion="")],
    "lifetime": lambda: [*right(), *(token(f"t{number}", code=f"c{number}") for number in range(10, 30))],
    "works": lambda: [one for one in right() if one.path != "/fhir/Patient"] + [call("t1", status=403)],
    "header": lambda: [*right(), call("t3", access_token="t3")],
    "refused-token": lambda: [*right(), call("t3", status=401), call("t3", status=401)],
    "dpop": lambda: [*right(), call("t3", proof=PROOF), call("t3", proof=PROOF)],
}


def test_each_check_has_its_fault() -> None:
    assert FAULTS.keys() == {one.name for one in EVERY}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_a_fault_is_seen(name: str) -> None:
    changes = {} if name != "launch" else {"scopes": [{"scope": "user/Patient.rs", "reason": "x"}]}
    seen = [*FAULTS[name](), asked(launch="", scope="user/Patient.rs")] if name == "launch" else FAULTS[name]()
    assert results(seen, **changes)[name] == "failed"


def test_a_person_may_open_it_often_and_read_little() -> None:
    opened = [
        one for number in range(4) for one in (asked(), token(f"t{number}", code=f"c{number}"), call(f"t{number}"))
    ]
    assert results(opened)["lifetime"] == "passed"


@pytest.mark.parametrize(
    "more",
    [
        {"client_assertion": signed(aud="https://elsewhere.example")},
        {"client_assertion": signed(sub="another")},
        {"client_secret": "x"},
        {"client_assertion": PROOF.replace("E", "F", 1)},
    ],
)
def test_what_an_assertion_may_lack(more: dict[str, str]) -> None:
    assert results([*right(), token("t9", **more)])["assertion"] == "failed"


def test_the_report_is_bound_to_its_file_and_holds_nothing_that_was_sent() -> None:
    made = report(FILE, judged(Software(FILE, SERVER, right())))
    text = json.dumps(made)
    assert read_report(text.encode()).passed
    assert made["file"] == digest_of(dict(reversed(FILE.items())))
    for secret in ("handle", "t1", "r1", PROOF):
        assert f'"{secret}"' not in text


@pytest.mark.http
async def test_a_backend_is_watched_through_the_proxy(sandbox: Running) -> None:
    """It works as before, and what it sent is judged. A sandbox that is started for this knows itself by the proxy's
    address; this one by its own, which the assertion then names."""
    known = next(one for one in sandbox.known["clients"] if one["client_id"] == "vitals_backend")
    issuer, port, watch = sandbox.known["issuer"], _port(), Watch(sandbox.known["issuer"])
    scope = "system/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"
    file = {
        **FILE,
        "client_id": known["client_id"],
        "kind": "backend",
        "binding": "",
        "launch_url": "",
        "scopes": [{"scope": scope, "reason": "x"}],
    }
    form = {
        "grant_type": "client_credentials",
        "scope": scope,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(known, f"{issuer}/oauth/token"),
    }
    async with watch.serving(port), httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        assert (await client.get("/fhir/.well-known/smart-configuration")).status_code == 200
        given = (await client.post("/oauth/token", data=form)).json()
        header = {"authorization": f"Bearer {given['access_token']}"}
        found = await client.get("/fhir/Observation", params={"_count": "1"}, headers=header)
        assert found.json()["resourceType"] == "Bundle"
        assert (await client.get("/fhir/Observation", headers={"authorization": "Bearer x"})).status_code == 401

    said = {one["name"]: one["result"] for one in judged(Software(file, issuer, watch.seen))}
    assert {name for name, result in said.items() if result == "passed"} == {
        *("discovery", "scopes", "assertion", "lifetime", "works", "header", "refused-token")
    }
    assert "failed" not in said.values()


def test_a_file_becomes_a_registration(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    words = registration({**FILE, "name": "Cabinet+", "jwks": {"keys": []}}, keys, "Organization/1")
    assert words[0] == CLIENT
    assert dict(zip(words[1::2], words[2::2], strict=True)) == {
        "--scope": "launch user/Patient.rs",
        "--name": "Cabinet+",
        "--kind": "app",
        "--algorithm": "ES384",
        "--binding": "dpop",
        "--launch-url": FILE["launch_url"],
        "--redirect-uri": BACK,
        "--jwks": str(keys),
    }
    backend = registration({**FILE, "role": "gp", "redirect_uris": None}, keys, "Organization/1")
    assert backend[-2:] == ["--organization", "Organization/1"]


_WATCHED = """
import asyncio, contextlib, sys
from tests.conformance.software.__main__ import _port, _watch
from tests.conformance.software.watching import Watch

class Telling(Watch):
    @contextlib.asynccontextmanager
    async def serving(self, port):
        async with super().serving(port):
            print("watching", flush=True)
            yield

asyncio.run(_watch(Telling("http://127.0.0.1:9"), _port()))
print("over", flush=True)
sys.stdin.readline()
print("judged", flush=True)
"""


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_a_second_ctrl_c_does_not_cost_the_report(first: signal.Signals) -> None:
    words = [sys.executable, "-c", _WATCHED]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdin is not None
        assert watching.stdout is not None
        assert watching.stdout.readline() == "watching\n"
        watching.send_signal(first)
        assert watching.stdout.readline() == "over\n"
        watching.send_signal(signal.SIGINT)
        watching.stdin.write("\n")
        watching.stdin.flush()
        assert watching.stdout.readline() == "judged\n"
        assert watching.wait(30) == 0
