"""deploy/restore.md followed to the letter: every block that a person types, in order, in one shell, on empty folders.

Only the block marked `machine` is replaced: it says where things are on this machine.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "deploy" / "restore.md"
BLOCK = re.compile(r"^```(sh machine|sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIAISON = Path(sys.executable).with_name("liaison")
FIFTEEN_MINUTES = 15 * 60

INIT = (
    "--organization Commune --family PENVEN --given Olivier --username o.penven --hds-host Essai --hds-until 2099-01-01"
)


def blocks(kind: str) -> list[str]:
    return [text for found, text in BLOCK.findall(PAGE.read_text()) if found == kind]


def names(text: str) -> set[str]:
    return set(re.findall(r"^export (\w+)=", text, re.MULTILINE))


def test_the_page_has_the_steps_it_numbers_and_fits_its_quarter_of_an_hour() -> None:
    text = PAGE.read_text()
    steps = re.findall(r"^## (\d+)\. .*\((\d+) minutes?\)$", text, re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert sum(int(minutes) for _, minutes in steps) <= 15
    assert len(blocks("sh machine")) == 1
    assert len(text.splitlines()) < 110  # two printed sides


@pytest.mark.http
@pytest.mark.timeout(900)
@pytest.mark.skipif(not shutil.which("curl"), reason="the page waits with curl; apt-get install curl")
def test_the_page_followed_to_the_letter_ends_in_a_checked_restore(tmp_path: Path) -> None:
    before = tmp_path / "before"
    environment = {
        **os.environ,
        "LIAISON_DATA": str(before / "data"),
        "LIAISON_KEY_FILE": str(before / "key"),
        "LIAISON_OUTSIDE": str(tmp_path / "outside"),
        "LIAISON_ACCESS_LOG": "false",
    }
    codes = _a_town_with_a_backup(environment, tmp_path / "backups")

    machine = {
        "LIAISON": str(ROOT),
        "LIAISON_DATA": str(tmp_path / "after" / "data"),
        "LIAISON_KEY_FILE": str(tmp_path / "after" / "secret" / "key"),
        "LIAISON_OUTSIDE": str(tmp_path / "outside"),
        "SAUVEGARDES": str(tmp_path / "backups"),
        "LIAISON_PORT": "18089",
    }
    assert names(blocks("sh machine")[0]) == machine.keys()
    script = "".join(f"export {name}='{value}'\n" for name, value in machine.items()) + "\n".join(blocks("sh"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        input="\n".join([codes[1], codes[3].replace("A", "B", 1), codes[3], codes[4], "", ""]),
        env={**clean, "LIAISON_ACCESS_LOG": "false"},
        capture_output=True,
        text=True,
        timeout=FIFTEEN_MINUTES,
        check=False,
    )
    took = time.monotonic() - started
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert took < FIFTEEN_MINUTES
    for expected in re.findall(r"« ([^»…]+?)(?: …)? »", PAGE.read_text()):
        if expected in ("outside", "cassé", "à voir"):
            continue
        assert expected in done.stdout, expected
    assert "cassé" not in done.stdout


def _a_town_with_a_backup(environment: dict[str, str], backups: Path) -> list[str]:
    """An installation that has served, its backup, and the codes of its envelopes."""

    def run(command: str) -> str:
        done = subprocess.run(
            ["bash", "-e", "-c", command], env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    said = run(f"{LIAISON} init {INIT}")
    serve = subprocess.Popen(
        [LIAISON, "serve", "--port", "18088"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait = "curl -sS --retry 60 --retry-delay 1 --retry-all-errors --fail http://127.0.0.1:18088/readyz"
        run(f"{wait} && sleep 3 && {LIAISON} backup --to {backups}")
    finally:
        serve.terminate()
        serve.wait(60)
    return re.findall(r"LIAISON-[A-Z2-7-]+", said)
