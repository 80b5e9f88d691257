"""Guards on the layout: each trap it watches over once hid a package or dropped files from a check, silently."""

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AREAS = ("services", "fhir", "auth", "protocols")


def configuration() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.mark.parametrize("area", AREAS)
def test_an_area_is_a_portion_of_the_namespace(area: str) -> None:
    assert not (ROOT / area / "__init__.py").exists()  # fhir/__init__.py would hide the fhir.resources library
    assert not (ROOT / area / "liaison" / "__init__.py").exists()  # would hide the other three areas
    assert (ROOT / area / "liaison" / area / "__init__.py").exists()
    assert (ROOT / area / "liaison" / area / "py.typed").exists()


@pytest.mark.parametrize("area", AREAS)
def test_an_area_folder_holds_only_its_package_and_its_readme(area: str) -> None:
    # Each area's folder is on sys.path when the project is installed in place.
    entries = {p.name for p in (ROOT / area).iterdir() if not p.name.startswith((".", "__pycache__"))}

    assert entries == {"liaison", "README.md"}


@pytest.mark.parametrize("area", AREAS)
def test_the_readme_of_an_area_names_every_folder(area: str) -> None:
    text = (ROOT / area / "README.md").read_text()
    folders = {path.parent.name for path in (ROOT / area / "liaison" / area).glob("*/__init__.py")}

    assert {folder for folder in folders if f"`{folder}/`" not in text} == set()


def test_no_init_in_tests() -> None:
    tracked = subprocess.run(["git", "ls-files", "tests"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert [p for p in tracked.splitlines() if p.endswith("__init__.py") and "/bench/" not in p] == []


def test_every_list_of_areas_names_every_area() -> None:
    tool = configuration()["tool"]
    packages = [f"liaison.{area}" for area in AREAS]
    assert isinstance(tool, dict)

    assert tool["hatch"]["build"]["targets"]["wheel"]["packages"] == [f"{area}/liaison" for area in AREAS]
    assert tool["hatch"]["build"]["targets"]["wheel"]["dev-mode-dirs"] == list(AREAS)
    assert tool["coverage"]["run"]["source_pkgs"] == packages
    assert tool["mypy"]["mypy_path"] == list(AREAS)
    assert tool["mypy"]["files"] == [*AREAS, "tests"]
    assert tool["ruff"]["src"] == list(AREAS)
    assert tool["importlinter"]["root_packages"] == packages


def test_modules_stay_small() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    long = {p: n for p in listed.splitlines() if (n := len((ROOT / p).read_text().splitlines())) > 400}

    assert long == {}


def test_no_module_hides_behind_a_vague_name() -> None:
    vague = {"utils.py", "helpers.py", "manager.py", "misc.py", "common.py"}

    assert [p for area in AREAS for p in (ROOT / area).rglob("*.py") if p.name in vague] == []
