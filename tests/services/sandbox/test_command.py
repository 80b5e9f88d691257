"""`liaison sandbox`, from outside: what it writes, who gets in, who sees whom, and what it refuses to touch."""

import asyncio
import base64
import json
import os
import re
import stat
import time
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

import asyncpg
import httpx
import pytest

from liaison.auth.people import totp
from liaison.fhir.store.embedded import Embedded
from liaison.fhir.vault import FileKeyProvider
from liaison.services.command.sandbox import _settings
from liaison.services.installation import FICTITIOUS
from liaison.services.sandbox import start as start_of
from liaison.services.sandbox.folder import Folder
from liaison.services.sandbox.territory import build
from liaison.services.sandbox.territory.clock import PARIS, Clock
from liaison.services.sandbox.token import NoToken
from liaison.services.settings import Settings

from ..console import typed
from .conftest import Running, environment, hidden, liaison, start, stop
from .people import KEYS

pytestmark = pytest.mark.http


def test_sandbox_json_tells_all_and_is_its_owners_alone(sandbox: Running) -> None:
    known = sandbox.known

    assert stat.S_IMODE((sandbox.folder / "sandbox.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(sandbox.folder.stat().st_mode) == 0o700
    assert set(known) >= {"fhir", "issuer", "token_endpoint", "pages", "clients", "people", "patients"}
    assert set(KEYS) <= {person["key"] for person in known["people"]}
    assert len(known["patients"]) == 60
    for person in known["people"]:
        assert person["username"]
        assert ("pin" in person) != ("password" in person)
        assert person["practitioner"].startswith("Practitioner/") or person["role"] in (
            "patient",
            "guardian",
            "caregiver",
        )
    assert {client["client_id"]: client["kind"] for client in known["clients"]} == {
        "vitals_backend": "backend",
        "export_backend": "backend",
        "sync_backend": "backend",
        "gp_software": "app",
        "web_software": "app",
        "patient_app": "app",
        "launched_app": "app",
        "resource_server": "backend",
        "proxy_software": "app",
    }
    keys = {client["client_id"]: client.get("private_jwk") for client in known["clients"]}
    assert keys.pop("web_software") is keys.pop("launched_app") is None
    assert all("d" in key for key in keys.values())


def test_the_first_call_finds_the_service(sandbox: Running) -> None:
    known = sandbox.known

    assert httpx.get(f"{known['fhir']}/metadata").json()["resourceType"] == "CapabilityStatement"
    discovered = httpx.get(f"{known['fhir']}/.well-known/smart-configuration").json()
    assert discovered["token_endpoint"] == known["token_endpoint"]


@pytest.mark.parametrize(
    ("who", "seen", "unseen"),
    [
        ("gp", {"bpco_04", "masked", "opposed_nurse", "psychiatry"}, {"bpco_11", "bpco_07"}),
        ("gp_outside", {"bpco_11", "emergency_review", "referral"}, {"bpco_04"}),
        ("nurse", {"bpco_04", "masked"}, {"opposed_nurse", "bpco_11"}),
        ("physio", {"bpco_04", "patient_b"}, {"masked"}),
        ("psychiatrist", {"psychiatry", "crisis"}, {"bpco_04"}),
        ("aide", {"bpco_03", "bpco_04", "bpco_06", "heart"}, {"bpco_07", "masked"}),
        ("aide2", {"bpco_07", "guarded"}, {"bpco_03", "heart"}),
        ("coordinator", {f"bpco_{number:02d}" for number in (*range(1, 10), 11, 12)} | {"patient_a"}, {"masked"}),
        ("substitute_active", {"bpco_07", "bpco_09"}, {"bpco_04"}),
        ("trainee", {"bpco_04", "masked"}, {"bpco_07"}),
    ],
)
def test_who_sees_whom(sandbox: Running, who: str, seen: set[str], unseen: set[str]) -> None:
    patients = sandbox.patients(who)

    assert seen <= patients
    assert not unseen & patients


@pytest.mark.parametrize(
    ("who", "only"),
    [
        ("hospital_doctor", {"bpco_05"}),
        ("patient_a", {"patient_a"}),
        ("patient_b", {"patient_b"}),
        ("guardian", {"guarded"}),
        ("on_call_doctor", set()),
        ("substitute_expired", set()),  # the authorisation has ended: a token, and nothing behind it
        ("call_handler", set()),
        ("patient_educator", set()),
        ("coordinator_admin", set()),
        ("auditor", set()),
        ("admin", set()),
    ],
)
def test_who_sees_exactly_whom(sandbox: Running, who: str, only: set[str]) -> None:
    assert sandbox.patients(who) == only


@pytest.mark.parametrize("who", ["aide", "aide2"])
def test_an_aide_sees_those_of_whom_it_is_said_that_they_come(sandbox: Running, who: str) -> None:
    told = {patient["key"] for patient in sandbox.known["patients"] if who in patient["tour"]}

    assert told
    assert sandbox.patients(who) == told


def test_a_backend_gets_what_its_scope_says_and_no_more(sandbox: Running) -> None:
    token = sandbox.token("vitals_backend")
    vitals = "category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs"

    assert sandbox.get(token, f"Observation?{vitals}&_count=5").json()["entry"]
    assert sandbox.get(token, "Patient").status_code == 403


def test_the_alert_of_this_morning_waits_for_the_nurse(sandbox: Running) -> None:
    code = "code=https://liaison.example/fhir/CodeSystem/alert-level|ORANGE"
    tasks = sandbox.get(sandbox.token("nurse"), f"Task?{code}&status=requested").json()["entry"]

    # Visits of other tests may have raised more.
    assert len([task for task in tasks if "plus court que d'habitude" in task["resource"]["description"]]) == 1


def test_the_aides_visit_is_found_by_the_doctors_software(sandbox: Running) -> None:
    patient = next(one["id"] for one in sandbox.known["patients"] if one["key"] == "bpco_04")
    found = sandbox.get(
        sandbox.token("gp"), f"QuestionnaireResponse?subject=Patient/{patient}&_count=1&_sort=-authored"
    )

    (entry,) = found.json()["entry"]
    assert entry["resource"]["questionnaire"].startswith("https://liaison.example/fhir/Questionnaire/home-visit|")


def test_the_doors_let_anyone_in_without_a_password(sandbox: Running) -> None:
    with httpx.Client(base_url=sandbox.known["issuer"], follow_redirects=True) as browser:
        page = browser.get("/")
        csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
        inside = browser.post("/territoire/entrer", data={"csrf": csrf, "porte": "gp"})

    assert page.url.path == "/territoire"
    assert "données fictives" in page.text.lower()
    assert inside.status_code == 200
    assert "Anne-Laure Guillemot" in inside.text


@pytest.mark.parametrize("form", [{"porte": "gp"}, {"porte": "gp", "csrf": "x"}])
def test_a_door_does_not_open_from_another_site(sandbox: Running, form: dict[str, str]) -> None:
    with httpx.Client(base_url=sandbox.known["issuer"]) as browser:
        browser.get("/territoire")

        assert browser.post("/territoire/entrer", data=form).status_code == 403


def test_the_command_prints_the_same_kind_of_token(sandbox: Running) -> None:
    done = liaison(
        "sandbox", "token", "--data", str(sandbox.folder), "--as", "patient_a", "--scope", "patient/Patient.rs"
    )

    assert done.returncode == 0, done.stderr
    assert sandbox.get(done.stdout.strip(), "Patient").json()["total"] == 1
    assert sandbox.get(done.stdout.strip(), "Observation").status_code == 403


def test_of_who_has_added_a_second_factor_it_is_said_why_there_is_no_token(sandbox: Running) -> None:
    person = next(one for one in sandbox.known["people"] if one["key"] == "nurse_colleague")
    with httpx.Client(base_url=sandbox.known["issuer"], timeout=60) as browser:
        form = {"identifiant": person["username"], "secret": person["password"], "suite": "/"}
        csrf = hidden(browser.get("/connexion").text, "csrf")
        assert browser.post("/connexion", data={**form, "csrf": csrf}).status_code == 303
        csrf = hidden(browser.get("/ma-securite").text, "csrf")
        page = browser.post("/ma-securite/code/preparer", data={"csrf": csrf}, follow_redirects=True)
        typed = re.search(r"Sans appareil photo[^<]*<strong>([^<]*)</strong>", page.text)
        assert typed
        secret = base64.b32decode(typed[1].replace(" ", ""))
        code = totp.code_of(secret, totp.step_of(time.time()))
        added = browser.post("/ma-securite/code", data={"csrf": hidden(page.text, "csrf"), "suite": "/", "code": code})
        assert added.status_code == 303
    # Nobody else of these tests: the only second factor stays.
    with pytest.raises(NoToken, match="has added a second factor"):
        sandbox.token("nurse_colleague")


def test_it_starts_again_as_it_was(sandbox: Running) -> None:
    before = sandbox.known
    stop(sandbox)
    again = start(sandbox.folder)
    sandbox.process, sandbox.seconds = again.process, again.seconds  # the tests after this one use it
    after = sandbox.known

    print(f"started again in {again.seconds:.1f} s")
    assert {name: after[name] for name in ("clients", "people", "patients")} == {
        name: before[name] for name in ("clients", "people", "patients")
    }
    assert sandbox.patients("hospital_doctor") == {"bpco_05"}


@pytest.mark.parametrize("words", [("--as-of", "2026-01-31"), ("--size", "large")])
def test_a_territory_that_is_there_is_not_taken_for_another(
    sandbox: Running, tmp_path: Path, words: tuple[str, str]
) -> None:
    (tmp_path / ".liaison-sandbox").write_text("")
    (tmp_path / "sandbox.json").write_text(json.dumps(sandbox.known))
    done = typed(environment(), "sandbox", "--data", str(tmp_path), "--port", "0", *words)

    assert done.returncode == 1
    assert "with 60 patients. --as-of and --size count when one is made" in done.stderr
    assert sorted(one.name for one in tmp_path.iterdir()) == [".liaison-sandbox", "sandbox.json"]


def test_a_folder_that_holds_anything_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "precious.txt").write_text("precious")

    done = typed(environment(), "sandbox", "--data", str(tmp_path), "--reset")

    assert done.returncode == 1
    assert "is not a sandbox" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


def test_tokens_are_refused_where_there_is_no_sandbox(tmp_path: Path) -> None:
    done = typed(environment(), "sandbox", "token", "--data", str(tmp_path), "--as", "gp")

    assert done.returncode == 1
    assert "There is no sandbox" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_sandbox_gives_no_token_and_is_no_service_for_real_people(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with folder.held("http://127.0.0.1:9", reset=False):
        FileKeyProvider.create(folder.key)
        folder.write({"issuer": "http://127.0.0.1:9"})
    own = {**environment(), "LIAISON_DATA": str(tmp_path), "LIAISON_KEY_FILE": str(folder.key)}

    token = typed(environment(), "sandbox", "token", "--data", str(tmp_path), "--as", "gp")
    served = typed(own, "serve", "--port", "0")

    assert (token.returncode, served.returncode) == (1, 1)
    assert f"Start it: liaison sandbox --data {tmp_path}" in token.stderr
    assert f"{tmp_path} is a sandbox. Start it as one: liaison sandbox --data {tmp_path}" in served.stderr


def test_a_sandbox_is_called_one_by_who_keeps_it(sandbox: Running, tmp_path: Path) -> None:
    own = {
        **environment(),
        "LIAISON_DATA": str(sandbox.folder),
        "LIAISON_KEY_FILE": str(sandbox.folder / "key"),
    }
    elsewhere = {**own, "LIAISON_DATA": str(tmp_path / "restored"), "LIAISON_OUTSIDE": str(tmp_path / "outside")}
    nature = next(one for one in json.loads(typed(own, "doctor", "--json").stdout)["checks"] if one["name"] == "nature")
    made = typed(own, "backup", "--to", str(tmp_path / "backups"))
    (backup,) = (tmp_path / "backups").iterdir()
    tried = typed(own, "backup", "verify", str(backup))
    restored = typed(elsewhere, "restore", str(backup), "--without-outside")

    assert nature == {"name": "nature", "level": "OK", "text": FICTITIOUS, "fix": ""}
    for done in (made, tried, restored):
        assert done.returncode == 0, done.stderr
        assert FICTITIOUS in done.stdout


def test_a_sandbox_of_another_version_is_told_what_its_own_command_does(sandbox: Running) -> None:
    url = Embedded.attach(sandbox.folder / "database").url

    async def set_(revision: str) -> str:
        one = await asyncpg.connect(url)
        try:
            before = await one.fetchval("select version_num from alembic_version")
            await one.execute("update alembic_version set version_num = $1", revision)
            return str(before)
        finally:
            await one.close()

    before = asyncio.run(set_("of_another"))
    try:
        done = typed(environment(), "sandbox", "token", "--data", str(sandbox.folder), "--as", "gp")
        doctor = typed({**environment(), "LIAISON_DATA": str(sandbox.folder)}, "doctor", "--json")
    finally:
        asyncio.run(set_(before))

    assert done.returncode == 1
    assert f"start it again, which brings them to this version: liaison sandbox --data {sandbox.folder}" in done.stderr
    assert "liaison migrate" not in done.stderr
    fix = next(one for one in json.loads(doctor.stdout)["checks"] if one["name"] == "base")["fix"]
    assert f"liaison sandbox --data {sandbox.folder}" in fix


def test_the_journal_of_a_sandbox_is_verified_by_its_folder(sandbox: Running, tmp_path: Path) -> None:
    folder = str(sandbox.folder)

    whole = liaison("journal", "verify", "--data", folder)
    assert whole.stdout.startswith("Whole"), whole.stderr
    exported = liaison("journal", "export", str(tmp_path / "journal.gz"), "--data", folder)
    assert exported.returncode == 0, exported.stderr
    public = liaison("journal", "key", "--data", folder)
    (tmp_path / "key").write_text(public.stdout)
    apart = liaison("journal", "verify", "--export", str(tmp_path / "journal.gz"), "--key", str(tmp_path / "key"))
    assert apart.stdout.startswith("Whole"), apart.stderr
    nothing = liaison("journal", "verify", "--data", str(tmp_path / "nothing"))
    assert nothing.returncode != 0
    assert str(tmp_path / "nothing") in nothing.stderr


@pytest.mark.parametrize("said", [{}, {"LIAISON_FETCH_PRIVATE_ADDRESSES": "1"}], ids=["unsaid", "said"])
def test_the_shell_may_let_a_sandbox_fetch_keys_of_this_machine_and_say_nothing_else(
    said: dict[str, str], tmp_path: Path
) -> None:
    """As docs/configuration.md has it: a vendor tries keys at an address of its own machine (`jwks_uri`)."""
    other = {"LIAISON_DATA": "/elsewhere", "LIAISON_PROXY_SOCKET": "/elsewhere/proxy.sock"}
    with patch.dict(os.environ, {**other, **said}):
        settings = _settings(Folder(tmp_path), 8080, 1)

    assert settings.fetch_private_addresses is bool(said)
    assert (settings.data, settings.proxy_socket) == (tmp_path, None)


async def test_a_base_that_is_being_made_is_not_refused_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only a base that was declared a sandbox may be opened with the setting, and the first start is what declares it."""

    class Opened(Exception):  # no error: the end of what is looked at
        pass

    def opened(settings: Settings) -> NoReturn:
        assert not settings.fetch_private_addresses
        raise Opened

    monkeypatch.setattr("liaison.services.sandbox.start.House.opened", opened)
    territory = build(Clock(datetime.now(PARIS)), "small")
    with pytest.raises(Opened):
        await start_of.fill(Settings(fetch_private_addresses=True), Folder(tmp_path), territory, lambda _: None)
