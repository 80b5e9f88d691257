"""init, doctor, backup, restore, keys and journal, as an administrator runs them on an embedded base."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from liaison.fhir.vault import FileKeyProvider
from liaison.services.command import Refused
from liaison.services.command.init import refuse_unsafe
from liaison.services.sandbox.folder import MARKER
from liaison.services.settings import Settings

from ..conftest import address, end
from ..console import typed

pytestmark = [pytest.mark.http, pytest.mark.timeout(600)]

LIAISON = Path(sys.executable).with_name("liaison")
INIT = [
    "init",
    "--organization",
    "Commune d'essai",
    "--family",
    "PENVEN",
    "--given",
    "Olivier",
    "--username",
    "o.penven",
    "--hds-host",
    "Hébergeur SA",
    "--hds-until",
    "2099-06-30",
    "--journal-years",
    "6",
]


@dataclass
class Machine:
    """A machine with a data folder, a key elsewhere, and the `liaison` command."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def key(self) -> Path:
        return self.folder / "secret" / "key"

    def run(self, *words: str, code: int = 0, given: str = "", **more: str) -> str:
        environment = {
            **os.environ,
            "LIAISON_DATA": str(self.data),
            "LIAISON_KEY_FILE": str(self.key),
            "LIAISON_PUBLIC_URL": "http://127.0.0.1",
            "LIAISON_ACCESS_LOG": "false",
            **self.environment,
            **more,
        }
        done = typed(environment, *words, given=given)
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def serve(self) -> tuple[subprocess.Popen[str], str]:
        environment = {
            **os.environ,
            "LIAISON_DATA": str(self.data),
            "LIAISON_KEY_FILE": str(self.key),
            "LIAISON_PUBLIC_URL": "http://127.0.0.1",
            "LIAISON_ACCESS_LOG": "false",
        }
        process = subprocess.Popen(
            [LIAISON, "serve", "--port", "0", "--workers", "2"], env=environment, stdout=subprocess.PIPE, text=True
        )
        return process, address(process)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def running() -> Iterator[Callable[[Machine], str]]:
    processes = []

    def begin(machine: Machine) -> str:
        process, url = machine.serve()
        processes.append(process)
        return url

    yield begin
    for process in processes:
        end(process)


def test_an_installation_from_nothing_to_a_checked_restore_elsewhere(
    machine: Machine, running: Callable[[Machine], str], tmp_path: Path
) -> None:
    machine.run(*[word if word != "o.penven" else "Élu" for word in INIT], code=2)  # before anything is made
    said = machine.run(*INIT)
    assert len(re.findall(r"^  (?:[A-Z2-9]{4}-){5}[A-Z2-9]{4}$", said, re.MULTILINE)) == 1  # the lone administrator's
    codes = re.findall(r"LIAISON-[A-Z2-7-]+", said)
    assert len(codes) == 5
    lost = re.search(r"http://127.0.0.1(/premier-acces/\S+)", said)
    assert lost
    link = re.search(r"http://127.0.0.1(/premier-acces/\S+)", machine.run("user", "link", "o.penven"))
    assert link
    assert machine.key.stat().st_mode & 0o077 == 0
    assert "certifié HDS" in said

    url = running(machine)
    with httpx.Client(base_url=url, follow_redirects=False) as browser:
        assert browser.get(lost[1]).status_code == 404
        shown = browser.get(link[1])
        assert shown.status_code == 200
        csrf = re.search(r'name="csrf" value="([^"]*)"', shown.text)
        assert csrf
        form = {"csrf": csrf[1], "secret": "trop court", "encore": "trop court"}
        assert browser.post(link[1], data=form).status_code == 422
        form = {"csrf": csrf[1], "secret": "une phrase assez longue", "encore": "une autre phrase longue"}
        assert browser.post(link[1], data=form).status_code == 422
        form["encore"] = form["secret"]
        assert browser.post(link[1], data=form).status_code == 303
        assert browser.get(link[1]).status_code == 404  # spent
        assert browser.get(link[1][:-1] + "x").status_code == 404

    assert "Whole up to the checkpoint" in machine.run("journal", "verify")
    machine.key.rename(machine.key.with_name("moved"))
    found = json.loads(machine.run("doctor", "--json", code=2))
    broken = {one["name"]: one["fix"] for one in found["checks"] if one["level"] == "cassé"}
    assert "liaison keys recover" in broken["clé"]
    machine.key.with_name("moved").rename(machine.key)
    machine.run("doctor", code=1)  # nothing broken; no backup yet
    assert "n'est pas rangée avec la clé" in machine.run("backup", "--to", str(machine.folder), code=1)
    backups = tmp_path / "backups"
    machine.run("backup", "--to", str(backups))
    (made,) = backups.iterdir()
    assert "restaurée à part et vérifiée" in machine.run("backup", "verify", str(made))
    assert json.loads(machine.run("doctor", "--json"))["level"] == "OK"

    key, exported = tmp_path / "journal.key", tmp_path / "journal.jsonl.gz"
    key.write_text(machine.run("journal", "key"))
    machine.run("journal", "export", str(exported))
    assert "exists already" in machine.run("journal", "export", str(exported), code=1)
    elsewhere = Machine(tmp_path / "nowhere")
    verdict = json.loads(elsewhere.run("journal", "verify", "--export", str(exported), "--key", str(key), "--json"))
    assert verdict["whole"]
    assert verdict["at"]["size"] == verdict["entries"] > 0
    elsewhere.run("journal", "verify", "--export", str(exported), code=2)
    _proofs_leave_the_house(machine, elsewhere, key, tmp_path)

    assert "Cette installation est faite" in machine.run("init", code=1)
    assert "Cette installation est faite" in machine.run(*INIT, code=1)
    papers = machine.data / "installation.json"
    papers.rename(papers.with_name("lost"))
    machine.key.rename(machine.key.with_name("moved"))
    assert "keys recover" in machine.run(*INIT, code=1)  # no second key for a base that has one
    assert not machine.key.exists()
    machine.key.with_name("moved").rename(machine.key)
    papers.with_name("lost").rename(papers)
    machine.run("init", "--hds-until", "2001-01-01")
    hosting = next(one for one in json.loads(machine.run("doctor", "--json", code=2))["checks"] if one["name"] == "HDS")
    assert (hosting["level"], bool(hosting["fix"])) == ("cassé", True)

    other = Machine(tmp_path / "other")
    other.folder.mkdir()
    refused = other.run("restore", str(made), code=1)
    assert "key file" in refused  # no key yet
    recovered = other.folder / "secret"
    recovered.mkdir()
    other.run(
        "keys", "recover", str(other.key), given="\n".join([codes[4], codes[0].lower(), "FAUX", codes[2], ""]) + "\n"
    )
    assert "effacements" in other.run("restore", str(made), code=1)  # nothing outside to replay
    shutil.copytree(machine.data / "outside", other.data / "outside")
    said = other.run("restore", str(made))
    assert "Journal entier" in said
    assert "declares 1 restore" in other.run("journal", "verify")
    told = [json.loads((one.data / "installation.json").read_text()) for one in (machine, other)]
    assert told[0]["hds_host"] == told[1]["hds_host"]  # what init was told comes with the backup
    assert told[1]["hds_until"] > "2001-01-01"  # as it was then
    url = running(other)
    assert httpx.get(f"{url}/readyz").status_code == 200


def _proofs_leave_the_house(machine: Machine, elsewhere: Machine, key: Path, folder: Path) -> None:
    """A line, a checkpoint to keep and what followed it, checked where there is nothing but the public key."""
    line, held, later = folder / "line.tlog-proof", folder / "held", folder / "later"
    machine.run("journal", "checkpoint", str(held))
    machine.run("journal", "prove", "0", str(line))
    assert "never written over" in machine.run("journal", "prove", "0", str(line), code=1)
    assert "neither the id" in machine.run("journal", "prove", "zero", str(folder / "no"), code=2)
    assert "no such entry" in machine.run("journal", "prove", "1000000", str(folder / "no"), code=1)
    assert not (folder / "no").exists()
    with_key = ("--key", str(key))
    said = elsewhere.run("journal", "verify", "--proof", str(line), *with_key)
    assert "is entry 0 of the" in said
    (id_,) = re.findall(r"AuditEvent/(\S+)", said)
    by_id = folder / "by-id.tlog-proof"
    machine.run("journal", "prove", f"AuditEvent/{id_}", str(by_id))
    assert id_ in elsewhere.run("journal", "verify", "--proof", str(by_id), *with_key)
    assert "contains the 1 checkpoint" in machine.run("journal", "verify", "--since", str(held))

    machine.run("keys", "rotate", "journal", "--compromised", code=2)
    said = machine.run("keys", "rotate", "journal")
    (made,) = re.findall(r"^liaison-journal-\S+$", said, re.MULTILINE)
    while not machine.run("journal", "key").startswith(made):  # the run's timeout ends it
        time.sleep(0.3)
    machine.run("journal", "prove", "0", str(folder / "after"))  # an entry that the new key alone signs
    while True:
        machine.run("journal", "checkpoint", str(later), "--since", str(held))
        if "next-key" not in later.read_text():
            break
        later.unlink()
    newer = folder / "newer.key"
    newer.write_text(machine.run("journal", "key"))
    asked = ("journal", "verify", "--proof", str(later), "--since", str(held))
    assert "NOT PROVED" in elsewhere.run(*asked, *with_key, code=1)  # the key that is known does not sign any more
    proved = json.loads(elsewhere.run(*asked, *with_key, "--key", str(newer), "--json"))
    assert proved["proved"]
    assert proved["size"] > proved["since"]
    assert "of your checkpoint, unchanged" in elsewhere.run(*asked, "--key", str(newer))
    elsewhere.run("journal", "verify", "--proof", str(later), *with_key, code=2)  # since what?
    assert "NOT PROVED" in elsewhere.run("journal", "verify", "--proof", str(key), *with_key, code=1)
    assert "declares" not in machine.run("journal", "verify", "--since", str(held))
    counted = json.loads(machine.run("journal", "stats", "--json"))
    assert counted["entries"] == sum(counted["events"].values()) == sum(counted["months"].values()) > 0
    assert counted["events"]["keys"] == 1
    assert list(counted["months"]) == counted["readable"]
    assert "bytes an entry" in machine.run("journal", "stats")
    assert json.loads(machine.run("journal", "expire", "--json"))["years"] == 6
    assert "for real people" in machine.run("journal", "generate", "--entries", "1", code=1)
    assert "no sandbox" in machine.run("sandbox", "tamper", "delete", "--data", str(machine.data), code=1)


def test_a_command_that_lacks_the_key_makes_nothing(machine: Machine) -> None:
    assert "is missing" in machine.run("serve", "--port", "0", code=1)
    assert not machine.data.exists()
    machine.key.parent.mkdir()
    machine.run("migrate")  # a base without a key yet
    (machine.folder / "file").touch()
    said = machine.run(*INIT, code=1, LIAISON_KEY_FILE=str(machine.folder / "file" / "key"))
    assert "Traceback" not in said
    assert list(machine.key.parent.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["serve", "--port", "0"],
        ["backup", "--to", "backups"],
        ["journal", "verify"],
        ["user", "list"],
        ["client", "list"],
        ["retention", "plan"],
        ["reindex"],
        ["rights", "rebuild"],
        ["keys", "status"],
        ["import", "tests/services/clients/node/package.json"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("key", [False, True], ids=["without a key", "with a key"])
def test_before_there_is_an_installation_init_is_named_and_nothing_made(
    machine: Machine, words: list[str], key: bool
) -> None:
    if key:
        machine.key.parent.mkdir()
        FileKeyProvider.create(machine.key)

    said = machine.run(*words, code=1)

    assert "liaison init" in said
    assert "Traceback" not in said
    assert not machine.data.exists()


def test_before_there_is_an_installation_the_doctor_says_nothing_that_supposes_one(machine: Machine) -> None:
    found = json.loads(machine.run("doctor", "--json", code=2))
    base = next(one for one in found["checks"] if one["name"] == "base")

    assert "liaison init" in base["fix"]
    assert "liaison serve" not in base["text"]


def test_a_key_beside_the_data_is_refused(machine: Machine) -> None:
    machine.data.mkdir()
    (machine.folder / "link").symlink_to(machine.data)
    for place in ("data/key", "data/outside/key", "other/../data/k", "link/key"):
        with pytest.raises(Refused, match="emporterait la clé"):
            refuse_unsafe(Settings(data=machine.data, key_file=machine.folder / place))
    with pytest.raises(Refused, match="emporterait la clé"):
        refuse_unsafe(Settings(data=machine.data, outside=machine.folder / "o", key_file=machine.folder / "o" / "key"))
    refuse_unsafe(Settings(data=machine.data, key_file=machine.key))
    said = machine.run(*INIT, code=1, LIAISON_KEY_FILE=str(machine.data / "key"))
    assert "emporterait la clé" in said
    assert list(machine.data.iterdir()) == []


def test_a_slip_in_the_dialogue_is_asked_again_and_on_the_command_line_refused(machine: Machine) -> None:
    slips = {
        "HDS": "Hébergeur\n",
        "n'est pas une date": "30/06/2027\n2027-06-30\n",
        "Il faut un nom": " \nCommune\nNom\nPrénom\n",
        "n'est pas un identifiant": "é è\nadmin\n",
        "De 1 à 30 années": "0\n",
    }
    said = machine.run("init", code=1, given="".join(slips.values()))  # the answers end before the last question

    for words in slips:
        assert words in said
    assert "Il faut un nom" in machine.run("init", "--hds-host", " ", code=2)
    assert "n'est pas une date" in machine.run("init", "--hds-host", "x", "--hds-until", "2026-02-30", code=2)
    assert not machine.data.exists()


def test_a_sandbox_never_becomes_an_installation(machine: Machine) -> None:
    machine.data.mkdir()
    (machine.data / MARKER).write_text("")
    with pytest.raises(Refused, match="bac à sable"):
        refuse_unsafe(Settings(data=machine.data, key_file=machine.key))
