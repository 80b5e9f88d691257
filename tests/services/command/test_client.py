"""`liaison client` and `liaison user`, as an administrator runs them."""

import json
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import alone, settle, write
from .conftest import Console, rights_entries

pytestmark = pytest.mark.http


@pytest.fixture(scope="module")
def people(service_base: dict[str, str]) -> tuple[str, str, str]:
    """A nurse, an organisation and a doctor of this base."""
    settings = Settings(**{name.lower(): value for name, value in service_base.items()})  # type: ignore[arg-type]  # read from text
    found, organization = alone(lambda: settle(settings))
    return found["nurse"].practitioner, organization, found["gp"].practitioner


def test_a_client_is_added_listed_and_suspended_on_record(
    console: Console, people: tuple[str, str, str], tmp_path: Path, service_base: dict[str, str]
) -> None:
    before = rights_entries(service_base)
    key = ECKey.generate_key("P-384", parameters={"kid": "k"})
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    options = [
        "--kind",
        "backend",
        "--name",
        "Tensiomètres",
        "--scope",
        "system/Observation.rs",
        "--algorithm",
        "ES384",
    ]
    owner = ["--jwks", str(tmp_path / "jwks.json"), "--organization", people[1], "--role", "nurse"]

    added = console.run_apart("client", "add", "meters", *options, *owner)
    assert added.returncode == 0, added.stderr
    (one,) = [x for x in json.loads(console.run("client", "list", "--json").stdout) if x["client_id"] == "meters"]
    assert one["active"]
    assert one["scope"] == "system/Observation.rs"
    assert console.run("client", "suspend", "meters").returncode == 0
    (one,) = [x for x in json.loads(console.run("client", "list", "--json").stdout) if x["client_id"] == "meters"]
    assert not one["active"]
    assert rights_entries(service_base) == before + 2


def test_wrong_registrations_are_refused_in_one_sentence(console: Console, people: tuple[str, str, str]) -> None:
    for arguments, word in (
        (["x", "--name", "X", "--scope", "user/*.sr", "--redirect-uri", "https://a.example/"], "cruds"),
        (["x", "--name", "X", "--scope", "user/*.rs"], "redirect"),
        (["x", "--name", "X", "--scope", "user/*.rs", "--redirect-uri", "http://a.example/"], "https"),
        (["x", "--name", "X", "--scope", "system/*.rs", "--kind", "backend", "--role", "wizard"], "wizard"),
        (
            ["x", "--name", "X", "--scope", "system/*.rs", "--kind", "backend", "--organization", "Organization/y"],
            "Org",
        ),
        (["x", "--name", "X", "--scope", "user/*.rs", "--jwks", "/nowhere.json"], "/nowhere.json"),
    ):
        refused = console.run("client", "add", *arguments)
        assert refused.returncode == 1
        assert word in refused.stderr
        assert "Traceback" not in refused.stderr
    assert console.run("client", "suspend", "nobody").returncode == 1


def test_an_account_is_opened_listed_and_suspended_on_record(
    console: Console, people: tuple[str, str, str], service_base: dict[str, str]
) -> None:
    before = rights_entries(service_base)

    added = console.run("user", "add", "Nurse.One", people[0], stdin="cheval exact pile agrafe\n")
    assert added.returncode == 0, added.stderr
    assert "cheval" not in added.stdout
    made = console.run("user", "add", "doctor.two", people[2], "--pin", "--generate")
    assert made.stdout.rstrip().rpartition(" ")[2].isdigit()
    listed = {one["username"]: one for one in json.loads(console.run("user", "list", "--json").stdout)}
    assert listed["nurse.one"]["person"] == people[0]
    assert console.run("user", "suspend", "nurse.one").returncode == 0
    listed = {one["username"]: one for one in json.loads(console.run("user", "list", "--json").stdout)}
    assert not listed["nurse.one"]["active"]
    assert listed["doctor.two"]["active"]
    assert rights_entries(service_base) == before + 3


def test_wrong_accounts_are_refused_in_one_sentence(console: Console, people: tuple[str, str, str]) -> None:
    for arguments, stdin, word in (
        (["weak.one", people[0]], "short\n", "12 characters"),
        (["pin.one", people[0], "--pin"], "12\n", "6 digits"),
        (["lost.one", "Practitioner/unknown"], "cheval exact pile agrafe\n", "nobody"),
        (["thing.one", people[1]], "cheval exact pile agrafe\n", "person"),
    ):
        refused = console.run("user", "add", *arguments, stdin=stdin)
        assert refused.returncode == 1
        assert word in refused.stderr
        assert stdin.strip() not in refused.stderr
        assert "Traceback" not in refused.stderr
    assert console.run("user", "suspend", "nobody").returncode == 1


def grants_of(service_base: dict[str, str], client_id: str) -> int:
    async def count() -> int:
        settings = Settings.model_validate({name.lower(): value for name, value in service_base.items()})
        async with House.opened(settings) as house:
            number: int = await house.database.reading.fetchval(
                "select count(*) from access_grant g join client c on c.client = g.principal where c.client_id = $1",
                client_id,
            )
            return number

    return alone(count)


def test_a_backend_sees_records_that_were_there_before_it(
    console: Console, people: tuple[str, str, str], tmp_path: Path, service_base: dict[str, str]
) -> None:
    settings = Settings.model_validate({name.lower(): value for name, value in service_base.items()})
    nurse, organization, _ = people

    async def receive() -> None:
        patient = {"resourceType": "Patient", "name": [{"family": "AVANT", "given": ["Elle"]}]}
        team = {
            "resourceType": "CareTeam",
            "status": "active",
            "subject": {"reference": "urn:uuid:p"},
            "participant": [{"member": {"reference": nurse}, "period": {"start": "2020-01-01"}}],
        }
        entries = [
            {"fullUrl": f"urn:uuid:{url}", "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
            for url, tree in (("p", patient), ("t", team))
        ]
        async with House.opened(settings) as house:
            await write(house, entries)

    alone(receive)
    key = ECKey.generate_key("P-384", parameters={"kid": "k"})
    (tmp_path / "late.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    given = [
        "--kind",
        "backend",
        "--name",
        "Tard",
        "--scope",
        "system/Patient.rs",
        "--jwks",
        str(tmp_path / "late.json"),
    ]
    owner = ["--algorithm", "ES384", "--organization", organization, "--role", "nurse"]

    added = console.run("client", "add", "late_backend", *given, *owner)
    there = grants_of(service_base, "late_backend")

    assert added.returncode == 0, added.stderr
    assert there > 0
    assert console.run("rights", "rebuild").returncode == 0
    assert grants_of(service_base, "late_backend") == there
