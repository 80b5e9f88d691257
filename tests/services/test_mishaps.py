"""What goes wrong around a command ends in a sentence, and a fault of the program does not."""

import asyncio
import errno
import re
from pathlib import Path

import asyncpg
import pytest
from pydantic import ValidationError

from liaison.fhir.store.embedded import EmbeddedError
from liaison.services import command
from liaison.services.custody import outside
from liaison.services.custody.checks import examine
from liaison.services.mishaps import sentence
from liaison.services.settings import Settings


def settings_error(**values: str) -> ValidationError:
    with pytest.raises(ValidationError) as raised:
        Settings.model_validate(values)
    return raised.value


CASES = [
    (OSError(errno.ENOSPC, "No space left on device"), "Free some room"),
    (PermissionError(errno.EACCES, "Permission denied", "/srv/x"), "/srv/x: Permission denied. This account"),
    (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/a/b"), "/a/b: Not a directory"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed"), "LIAISON_DATABASE_URL"),
    (asyncpg.InvalidPasswordError("x"), "refuses this account"),
    (asyncpg.InvalidCatalogNameError("x"), "does not exist"),
    (asyncpg.UniqueViolationError("Key (name)=(MARTIN) exists"), "UniqueViolationError"),
    (EmbeddedError("PostgreSQL did not start."), "did not start"),
]


@pytest.mark.parametrize(("error", "words"), CASES, ids=lambda value: type(value).__name__)
def test_a_mishap_is_one_sentence(error: Exception, words: str) -> None:
    said = sentence(error)
    assert words in said
    assert "MARTIN" not in said


def test_a_wrong_setting_is_named_without_its_value() -> None:
    said = sentence(settings_error(port="secret-word", public_url="ftp://secret-word"))
    assert "LIAISON_PORT" in said
    assert "LIAISON_PUBLIC_URL must begin with http" in said
    assert "secret-word" not in said


def test_what_is_wrong_between_settings_is_named_once() -> None:
    assert sentence(settings_error(data="/srv/x", outside="/srv/x/y")).startswith(
        "LIAISON_OUTSIDE (/srv/x/y) is inside"
    )


@pytest.mark.parametrize(
    ("raised", "ends"), [(OSError(errno.ENOSPC, "No space"), SystemExit), (RuntimeError(), RuntimeError)]
)
def test_the_command_ends_in_it_and_a_fault_keeps_its_traceback(
    monkeypatch: pytest.MonkeyPatch, raised: Exception, ends: type[BaseException]
) -> None:
    def app() -> None:
        raise raised

    monkeypatch.setenv("PYTHONSAFEPATH", "1")  # as the command sets it, for what other tests start
    monkeypatch.setattr(command, "app", app)
    monkeypatch.setattr(command, "_register", lambda _: None)
    with pytest.raises(ends):
        command.main()


def test_the_doctor_names_a_file_that_does_not_read(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", outside=tmp_path / "outside", key_file=tmp_path / "key")
    for file in (settings.data / "installation.json", settings.outside_folder / outside.BACKUPS):
        file.parent.mkdir(parents=True)
        file.write_text("[")
    found = {one.name: one for one in asyncio.run(examine(settings))}
    for name in ("HDS", "sauvegarde"):
        assert (found[name].level, bool(found[name].fix)) == ("cassé", True)
    assert "liaison init" in found["base"].fix


def test_what_is_kept_outside_and_does_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / outside.STATE).write_text('{"no": "state"}')
    (tmp_path / outside.RIGHTS).write_text("{\n")
    for read in (lambda: outside.read_state(tmp_path), lambda: [*outside.read_rights(tmp_path)]):
        with pytest.raises(outside.Unreadable, match=re.escape(str(tmp_path))):
            read()
