"""The systemd units and the container files: read by the tools that will read them, where these are installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from liaison.services.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
UNITS = ("liaison.service", "liaison-backup.service")
HOMES = re.compile(r"/opt/liaison/([^\s]*)")


def settings_named(text: str) -> set[str]:
    return set(re.findall(r"\bLIAISON_([A-Z_]+)\b(?==|:)", text))


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_sound_and_little_exposed(unit: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (DEPLOY / "systemd" / unit).read_text().replace("/opt/liaison/.venv/bin/liaison", "/bin/true")
    for name in UNITS:
        other = (DEPLOY / "systemd" / name).read_text().replace("/opt/liaison/.venv/bin/liaison", "/bin/true")
        (tmp_path / name).write_text(re.sub(r"^(User|Group|Documentation)=.*\n", "", other, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if unit in line and "Failed to create" not in line]
    assert complaints == []
    (tmp_path / unit).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(tmp_path / unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_unit_without_its_hardening_would_be_noticed(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (
        (DEPLOY / "systemd" / "liaison.service")
        .read_text()
        .replace("ProtectSystem=strict", "")
        .replace("CapabilityBoundingSet=\n", "")
    )
    (tmp_path / "liaison.service").write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(tmp_path / "liaison.service")],
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0


def test_the_files_name_only_settings_that_exist() -> None:
    known = {name.upper() for name in Settings.model_fields}
    for path in (DEPLOY / "systemd" / "liaison.env", DEPLOY / "container" / "Containerfile"):
        found = settings_named(path.read_text())
        assert found, path
        assert found <= known, path
    compose = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text())
    assert {name.removeprefix("LIAISON_") for name in compose["services"]["liaison"]["environment"]} <= known


def test_the_image_is_made_of_what_is_here_and_runs_without_root() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
    runs_as = re.search(r"^USER ([1-9]\d*):([1-9]\d*)$", text, re.MULTILINE)
    assert runs_as is not None
    assert f"--uid {runs_as[1]} " in text
    assert f"--gid {runs_as[2]} " in text
    compose = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    # The key's folder is read by the service, and written once, by the one that makes the key.
    folder = re.search(r"LIAISON_KEY_FILE=(\S+)/key", text)
    assert folder is not None
    mounts = {
        name: [mount for mount in service["volumes"] if f":{folder[1]}" in mount]
        for name, service in compose["services"].items()
    }
    assert [mount.endswith(":ro") for mount in mounts["liaison"]] == [True]
    assert [mount.endswith(":ro") for mount in mounts["init"]] == [False]


def test_the_containers_proxy_has_the_file_that_the_steps_make(tmp_path: Path) -> None:
    """No image is built here: no container can run in the place where these tests do."""
    text = (DEPLOY / "container" / "compose.yaml").read_text()
    made = re.search(r"^#   (sed .* > )deploy/container/(nginx-liaison.conf)$", text, re.MULTILINE)
    assert made is not None
    subprocess.run(
        ["sh", "-ec", f"{made[1]} {tmp_path / 'made'}"], cwd=ROOT, env={"NAME": "soin.example.org"}, check=True
    )
    proxy = yaml.safe_load(text)["services"]["proxy"]

    assert proxy["volumes"][0].startswith(f"./{made[2]}:")
    assert "server liaison:8080;" in (tmp_path / "made").read_text()
    assert "liaison.example.fr" not in (tmp_path / "made").read_text()
    assert "server_name soin.example.org;" in (tmp_path / "made").read_text()


def test_what_runs_beside_the_service_finds_its_database() -> None:
    """With /tmp to itself, the service keeps the database's socket in the folder that systemd makes for it, where the
    backup and an administrator's `liaison doctor` find it. And each folder that a unit writes is one that is made."""
    units = {name: (DEPLOY / "systemd" / name).read_text() for name in UNITS}
    assert "PrivateTmp=yes" in units["liaison.service"]
    assert "RuntimeDirectory=liaison" in units["liaison.service"]
    made = re.search(r"^install -d .*$", (DEPLOY / "README.md").read_text(), re.MULTILINE)
    assert made is not None
    for text in units.values():
        for written in re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE):
            assert set(written.split()) <= set(made[0].split())


def test_every_file_of_the_folder_is_in_its_readme() -> None:
    readme = (DEPLOY / "README.md").read_text()
    for path in DEPLOY.rglob("*"):
        if path.is_file() and path.name != "README.md":
            name = path.name.replace("liaison-backup.service", "liaison-backup.{service,timer}").replace(
                "liaison-backup.timer", "liaison-backup.{service,timer}"
            )
            assert name in readme, path
