"""The settings, and the page that documents them."""

import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from liaison.services.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def documented() -> dict[str, tuple[str, str]]:
    """Each variable of the page with its default and the version it came with."""
    rows = re.findall(r"^\| `LIAISON_(\w+)` \| .* \| (.*) \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name.lower(): (default, since) for name, default, since in rows}


def test_every_setting_is_documented_and_nothing_else() -> None:
    assert documented().keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_documented_default_is_the_default(name: str) -> None:
    default, since = documented()[name]
    value = Settings.model_fields[name].default

    assert re.fullmatch(r"\d+\.\d+\.\d+", since)
    if value in (None, "", ()):
        assert default.startswith("empty")
    else:
        assert default == f"`{str(value).lower() if isinstance(value, bool) else value}`"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_PUBLIC_URL", "https://sante.example/base/")
    monkeypatch.setenv("LIAISON_WORKERS", "4")

    settings = Settings()

    assert settings.workers == 4
    assert settings.fhir_base == "https://sante.example/base/fhir"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_an_empty_variable_counts_as_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delenv(f"LIAISON_{name.upper()}", raising=False)
    unset = Settings()

    monkeypatch.setenv(f"LIAISON_{name.upper()}", "")

    assert Settings() == unset


@pytest.mark.parametrize(("port", "url"), [("", "http://127.0.0.1:8080"), ("8099", "http://127.0.0.1:8099")])
def test_without_an_address_it_is_this_machine_at_its_port(
    monkeypatch: pytest.MonkeyPatch, port: str, url: str
) -> None:
    monkeypatch.delenv("LIAISON_PUBLIC_URL", raising=False)
    if port:
        monkeypatch.setenv("LIAISON_PORT", port)

    assert Settings().public_url == url


@pytest.mark.parametrize(
    ("name", "value"),
    [("PUBLIC_URL", "sante.example"), ("PORT", "70000"), ("WORKERS", "0"), ("BODY_LIMIT_BYTES", "big")],
)
def test_a_wrong_value_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"LIAISON_{name}", value)

    with pytest.raises(ValidationError):
        Settings()


def test_origins_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIAISON_CORS_ORIGINS", "https://app.example, http://localhost:5173,")

    assert Settings().cors_origins == ("https://app.example", "http://localhost:5173")


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example",
        "https://app.example/",
        "https://app.example/page",
        "http://app.example",
        "http://127.0.0.1.example",
        "https://user@app.example",
        "https://App.example",
        "file://",
        "https://",
    ],
)
def test_what_is_no_origin_stops_the_start(origin: str) -> None:
    with pytest.raises(ValidationError, match=r"origin|https"):
        Settings(cors_origins=(origin,))


@pytest.mark.parametrize("outside", ["data", "data/outside", "other/../data/x", "link/x"])
def test_what_must_survive_the_data_is_not_kept_inside_it(tmp_path: Path, outside: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")

    with pytest.raises(
        ValidationError, match=r"LIAISON_OUTSIDE .* is inside LIAISON_DATA .* would be lost with the data"
    ):
        Settings(data=tmp_path / "data", outside=tmp_path / outside)


def test_beside_the_data_it_is_kept(tmp_path: Path) -> None:
    assert Settings(data=tmp_path / "data", outside=tmp_path / "data-outside").outside == tmp_path / "data-outside"


def test_a_running_process_cannot_change_them() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1
