"""A console on the shared base, and the people of its territory."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import Person, alone, settle
from ..console import typed

PASSWORD = "cheval exact pile agrafe"
T = TypeVar("T")


class Console:
    """Runs `liaison …` on one base."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.environment = {**os.environ, **{f"LIAISON_{name}": value for name, value in settings.items()}}

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return typed(self.environment, *arguments, given=stdin)

    def run_apart(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """In a process of its own."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("liaison")), *arguments],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(scope="module")
def console(service_base: dict[str, str]) -> Console:
    return Console(service_base)


def rights_entries(service_base: dict[str, str]) -> int:
    async def count() -> int:
        settings = Settings.model_validate({name.lower(): value for name, value in service_base.items()})
        async with House.opened(settings) as house:
            number: int = await house.database.reading.fetchval("select count(*) from journal_entry where event = 30")
            return number

    return alone(count)


@pytest.fixture(scope="module")
def settings(service_base: dict[str, str]) -> Settings:
    return Settings.model_validate({name.lower(): value for name, value in service_base.items()})


@pytest.fixture(scope="module")
def people(settings: Settings) -> dict[str, Person]:
    return alone(lambda: settle(settings))[0]


def in_house(settings: Settings, work: Callable[[House], Awaitable[T]]) -> T:
    async def run() -> T:
        async with House.opened(settings) as house:
            return await work(house)

    return alone(run)
