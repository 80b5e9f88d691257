"""The menu is read, not loaded: it must be the one that loading everything would give."""

import subprocess
import sys
from pathlib import Path

import pytest

LIAISON = str(Path(sys.executable).with_name("liaison"))
LOADED = """
import importlib, pkgutil, sys
from liaison.services import command
for module in pkgutil.iter_modules(command.__path__):
    importlib.import_module(f"{command.__name__}.{module.name}")
command.app(["--help"], prog_name="liaison")
"""
WEIGHT = """
import sys
from liaison.services import command
sys.argv = ["liaison", *sys.argv[1:]]
try:
    command.main()
finally:
    print(sorted({"sqlalchemy", "asyncpg", "cryptography", "uvicorn", "liaison.services.settings"} & sys.modules.keys()))
"""


def said(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    return done.stdout + done.stderr


def test_it_names_every_command_in_the_words_of_its_help() -> None:
    whole = said(sys.executable, "-c", LOADED)

    assert "sandbox" in whole
    assert sorted(said(LIAISON, "--help").splitlines()) == sorted(whole.splitlines())


@pytest.mark.parametrize("words", [[], ["--help"], ["sandbix"]], ids=["nothing", "help", "no command"])
def test_it_loads_nothing_that_a_command_would_need(words: list[str]) -> None:
    assert said(sys.executable, "-c", WEIGHT, *words).splitlines()[-1 if words != ["sandbix"] else 0] == "[]"


def test_a_sandbox_loads_what_migrates_tables_only_when_there_are_any_to_migrate() -> None:
    loaded = "import sys, liaison.services.command.sandbox; print('asyncpg' in sys.modules, 'alembic' in sys.modules)"

    assert said(sys.executable, "-c", loaded).split() == ["True", "False"]


def test_a_word_that_is_no_command_is_said_with_the_nearest() -> None:
    told = said(LIAISON, "sandbix")

    assert "No such command 'sandbix'" in told
    assert "sandbox" in told
