"""deploy/restore.md and the first installation of deploy/README.md, followed to the letter: every block that a person types,
in order, in one shell.

On a machine apart (tests/deploy/machine.py) nothing is replaced. Where there can be none, the blocks marked `root` are left
out of the page's restore and the one marked `machine` is replaced: the rest is typed on empty folders.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.deploy import machine
from tests.deploy.machine import needed
from tests.nginx import certificate

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "deploy" / "restore.md"
README = ROOT / "deploy" / "README.md"
BLOCK = re.compile(r"^```(sh machine|sh root|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LIAISON = Path(sys.executable).with_name("liaison")
FIFTEEN_MINUTES = 15 * 60

INIT = "--organization Commune --family PENVEN --given Olivier --username o.penven --hds-host Essai --hds-until 2099-01-01 --journal-years 10"


def blocks(page: Path = PAGE) -> list[tuple[str, str]]:
    """(who types it, what), in order."""
    return BLOCK.findall(page.read_text())


def names(text: str) -> set[str]:
    return set(re.findall(r"^export (\w+)=", text, re.MULTILINE))


def test_the_page_has_the_steps_it_numbers_and_fits_its_quarter_of_an_hour() -> None:
    text = PAGE.read_text()
    steps = re.findall(r"^## (\d+)\. .*\((\d+) minutes?\)$", text, re.MULTILINE)
    assert [int(number) for number, _ in steps] == list(range(1, len(steps) + 1))
    assert sum(int(minutes) for _, minutes in steps) <= 15
    assert [kind for kind, _ in blocks()].count("sh machine") == 1
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

    here = {
        "LIAISON_DATA": str(tmp_path / "after" / "data"),
        "LIAISON_KEY_FILE": str(tmp_path / "after" / "secret" / "key"),
        "LIAISON_OUTSIDE": str(tmp_path / "outside"),
        "SAUVEGARDES": str(tmp_path / "backups"),
        "LIAISON_PORT": "18089",
        "PATH": f"{LIAISON.parent}:{os.environ['PATH']}",
    }
    (tmp_path / "after" / "secret").mkdir(parents=True)
    script = "".join(f"export {name}='{value}'\n" for name, value in here.items())
    for kind, text in blocks():
        if kind == "sh":
            script += text
        elif "systemctl enable --now liaison\n" in text:
            script += "liaison serve > serve.log 2>&1 &\nSERVICE=$!\n"
    script += "kill $SERVICE\nwait $SERVICE\n"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("LIAISON_")}
    started = time.monotonic()
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", script],
        input=_typed(codes),
        cwd=tmp_path,
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
    _all_is_said(done.stdout, but=("Liaison est installé.", "Le site répond"))  # by blocks of root


@needed
@pytest.mark.proof  # its short version is the one above, on empty folders
@pytest.mark.http
@pytest.mark.timeout(900)
def test_the_page_followed_from_an_empty_machine_ends_in_a_site_that_answers(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "LIAISON_DATA": str(tmp_path / "data"),
        "LIAISON_KEY_FILE": str(tmp_path / "key"),
        "LIAISON_OUTSIDE": str(tmp_path / "outside"),
        "LIAISON_ACCESS_LOG": "false",
    }
    codes = _a_town_with_a_backup(environment, tmp_path / "support" / "sauvegardes")
    certificate(tmp_path)
    for name in ("fullchain.pem", "privkey.pem"):
        _moved(tmp_path / name, tmp_path / "support" / "tls" / name)
    script = "export CURL_CA_BUNDLE=/media/support/tls/fullchain.pem\n"  # of an authority of this test
    script += "".join(text for _, text in blocks()) + STATE

    done = machine.run(
        script,
        _typed(codes),
        {
            "/media/support": tmp_path / "support",
            "/media/support/liaison": machine.software(tmp_path),
            "/srv/liaison-outside": tmp_path / "outside",
        },
        tmp_path,
    )

    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    _all_is_said(done.stdout)
    _little_may_be_read_by_others(done.stdout)
    assert "curl:" not in done.stderr


@needed
@pytest.mark.http
@pytest.mark.timeout(900)
def test_the_first_installation_followed_from_an_empty_machine_ends_in_a_site_that_answers(tmp_path: Path) -> None:
    certificate(tmp_path)
    for name in ("fullchain.pem", "privkey.pem"):
        _moved(tmp_path / name, tmp_path / "tls" / name)
    script = "export CURL_CA_BUNDLE=/srv/tls/fullchain.pem\n"
    script += "echo 127.0.0.1 liaison.example.fr >> /etc/hosts\n"  # « on which the site's name leads »
    script += "".join(text for _, text in blocks(README)) + STATE

    done = machine.run(
        script,
        "Essai\n2099-01-01\nCommune\nPENVEN\nOlivier\no.penven\n10\n",
        {"/srv/tls": tmp_path / "tls", "/srv/liaison": machine.software(tmp_path)},
        tmp_path,
    )

    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(re.findall(r"LIAISON-[A-Z2-7-]+", done.stdout)) == 5
    assert "https://liaison.example.fr/premier-acces/" in done.stdout
    assert "It answers." in done.stdout
    assert "cassé" not in done.stdout
    _little_may_be_read_by_others(done.stdout)


@pytest.mark.parametrize("page", [PAGE, README], ids=lambda page: page.name)
@pytest.mark.skipif(not shutil.which("dpkg-query"), reason="Debian's packages are asked")
def test_every_command_is_debians_own_or_of_a_package_that_the_page_installs(page: Path) -> None:
    text = "".join(text for _, text in blocks(page))
    installed = set(re.search(r"apt-get install [-\w ]*?--no-install-recommends ([-\w ]+)", text)[1].split())  # type: ignore[index]  # not there: a failure
    # A word with the name of a command may be another's argument: it counts all the same.
    words = set(re.findall(r"(?<![\w./$-])[a-z][\w-]+(?![\w./=-])", text)) - {"liaison"}
    owners = _owners({word: path for word in words if (path := shutil.which(word, path=machine.SYSTEM))})

    assert {"curl", "nginx", "adduser"} <= owners.keys()
    assert {owner for owner in set(owners.values()) if not _everywhere(owner)} <= _with_what_they_need(installed)
    assert {"python3", "python3-pip", "ca-certificates"} <= installed  # of deploy/setup.sh


STATE = """
echo "== state"
stat -c '%U %a %n' /etc/liaison /etc/liaison/key /etc/liaison/liaison.env /etc/ssl/liaison /etc/ssl/liaison/privkey.pem \
  /var/lib/liaison /srv/liaison-outside /var/backups/liaison
ls /etc/systemd/system/multi-user.target.wants /etc/systemd/system/timers.target.wants
"""


def _little_may_be_read_by_others(said: str) -> None:
    state = said.partition("== state\n")[2]
    for line in state.splitlines()[:8]:
        owner, mode, name = line.split(" ")
        assert (owner, mode[1:]) == ("root" if name.startswith("/etc/ssl") else "liaison", "00"), line
    assert "liaison.service" in state
    assert "liaison-backup.timer" in state


def _owners(paths: dict[str, str]) -> dict[str, str]:
    """The package of each, '' for none. Debian 12 knows some of its files by their path before /usr was merged. All are asked
    at once: to be asked anything, dpkg-query reads everything."""
    names: dict[str, list[str]] = {}
    for word, path in paths.items():
        real = os.path.realpath(path)
        names[word] = [path, path.removeprefix("/usr"), real, real.removeprefix("/usr")]
    asked = ["dpkg-query", "-S", *{name for four in names.values() for name in four}]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    said = [line.partition(": ") for line in done.stdout.splitlines() if not line.startswith("diversion ")]
    known = {path: package.partition(":")[0] for package, _, path in said}
    return {word: next((known[name] for name in four if name in known), "") for word, four in names.items()}


def _with_what_they_need(packages: set[str]) -> set[str]:
    found: set[str] = set()
    while packages := packages - found:
        found |= packages
        asked = ["dpkg-query", "-W", "-f", "${Pre-Depends}, ${Depends}, ", *packages]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        packages = set(re.findall(r"(?:^|, *)([a-z0-9][a-z0-9+.-]+)", done.stdout))
    return found


def _everywhere(package: str) -> bool:
    """Part of every Debian system (Debian Policy §2.5)."""
    asked = ["dpkg-query", "-W", "-f", "${Priority}\n", package]
    done = subprocess.run(asked, capture_output=True, text=True, check=False) if package else None
    return done is not None and done.stdout.splitlines()[:1] in (["required"], ["important"])


def _typed(codes: list[str]) -> str:
    """At the envelopes, with one mistake."""
    return "\n".join([codes[1], codes[3].replace("A", "B", 1), codes[3], codes[4], "", ""])


def _moved(file: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    file.rename(to)


def _all_is_said(said: str, but: tuple[str, ...] = ()) -> None:
    """What the page says that must be shown."""
    for expected in re.findall(r"« ([^»…]+?)(?: …)? »", PAGE.read_text()):
        if expected not in ("outside", "cassé", "à voir", *but):
            assert expected in said, expected
    assert "cassé" not in said


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
