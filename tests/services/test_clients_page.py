"""What docs/clients.md tells vendors to type gives what it says, against a running sandbox."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import orjson
import pytest

from liaison.auth.vendors.request_file import BadFile, read_file
from liaison.services.sandbox.token import assertion

from .running_sandbox import Running

PAGE = (Path(__file__).parents[2] / "docs" / "clients.md").read_text()
SHOWN = re.findall(r"```console\n\$ (.+)\n((?:.*\n)*?)```", PAGE)


@pytest.mark.http
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_each_line_gives_what_the_page_says(sandbox: Running) -> None:
    known = sandbox.known
    backend, proxy = (
        next(one for one in known["clients"] if one["client_id"] == name) for name in ("sync_backend", "proxy_software")
    )
    given = {
        "FHIR": known["fhir"],
        "TOKEN": known["token_endpoint"],
        "ASSERTION": assertion(backend, known["token_endpoint"]),
        "PROXY": assertion(proxy, known["token_endpoint"]),
        "PERSON": sandbox.token("gp"),
        "ACCESS": sandbox.token("sync_backend"),
    }
    assert len(SHOWN) == 7
    for command, expected in SHOWN:
        done = subprocess.run(
            ["sh", "-c", command], env={**os.environ, **given}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stdout.strip() == expected.strip(), command


def test_the_file_it_shows_is_one_that_is_taken_but_for_its_keys() -> None:
    block = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL)
    assert block

    with pytest.raises(BadFile) as refused:
        read_file(block[1].encode())

    assert [one.text for one in refused.value.problems] == [
        "The key 2026-1 is not a key of RFC 7517 for RS384 or ES384."
    ]
    tree = orjson.loads(block[1])
    del tree["jwks"]
    assert read_file(orjson.dumps({**tree, "jwks_uri": "https://cabinet.example/jwks.json"})).binding == "dpop"
