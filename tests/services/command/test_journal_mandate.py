"""`liaison journal mandate`: an organisation's auditors read the whole territory by a convention that is named, until it ends."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from liaison.auth.journal.entry import Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.auth.people.notices import Kind
from liaison.fhir.vault import FileKeyProvider
from liaison.services.command import Refused
from liaison.services.command.journal_mandates import mandate
from liaison.services.house import House
from liaison.services.settings import Settings

from ..conftest import alone, settle

BY = "Mme Essai, présidente"


@pytest.fixture(scope="module")
def settled(postgres: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, str]]:
    """A base with its people, which the environment names; and their organisation."""
    folder, name = tmp_path_factory.mktemp("mandates"), alone(postgres.create)
    FileKeyProvider.create(folder / "key")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIAISON_DATABASE_URL", postgres.url(name))
        patch.setenv("LIAISON_DATA", str(folder / "data"))
        patch.setenv("LIAISON_KEY_FILE", str(folder / "key"))
        patch.setenv("LIAISON_PUBLIC_URL", "https://liaison.test")
        settings = Settings()
        settings.data.mkdir()
        yield settings, alone(lambda: settle(settings))[1]
    alone(lambda: postgres.drop(name))


def told(settings: Settings) -> list[tuple[str, str, str]]:
    async def look() -> list[tuple[str, str, str]]:
        async with House.opened(settings) as house:
            rows = await house.database.reading.fetch(f"select {', '.join(COLUMNS)} from journal_entry order by at")
            entries = [unseal(house.journal_keys, Record(*row)) for row in rows if row["event"] == Event.RIGHTS]
        found = [(one.detail or {}, one.reason) for one in entries if one.path == "journal mandate"]
        return [(detail["act"], detail["by"], reason) for detail, reason in found]

    return alone(look)


def officers_are_told(settings: Settings) -> list[tuple[Kind, str]]:
    async def look() -> list[tuple[Kind, str]]:
        async with House.opened(settings) as house:
            found = await house.database.reading.fetch(
                "select kind, code from notice where kind = 'mandate' order by at"
            )
        return [(Kind(kind), code) for kind, code in found]

    return alone(look)


def test_it_is_given_by_a_convention_listed_and_ended_each_in_the_journal(
    settled: tuple[Settings, str], capsys: pytest.CaptureFixture[str]
) -> None:
    settings, organization = settled
    mandate(as_json=True)
    assert json.loads(capsys.readouterr().out) == []

    mandate(organization, "Convention du 12 mars", by=BY, as_json=True)
    [one] = json.loads(capsys.readouterr().out)
    assert (one["organization"], one["convention"]) == (organization, "Convention du 12 mars")

    mandate(organization, end=True, by=BY, why="Fin de la convention")
    assert "None: auditors read what concerns their own organisation." in capsys.readouterr().out
    with pytest.raises(Refused, match="has no mandate"):
        mandate(organization, end=True, by=BY, why="Encore")
    assert officers_are_told(settings) == [(Kind.MANDATE, "given"), (Kind.MANDATE, "ended")]
    assert told(settings)[-2:] == [
        ("mandate over the journal", BY, "Convention du 12 mars"),
        ("end of a mandate over the journal", BY, "Fin de la convention"),
    ]


def test_it_is_not_given_without_its_convention_nor_to_nobody(settled: tuple[Settings, str]) -> None:
    settings, organization = settled
    before = told(settings)
    for words in (
        {"organization": organization},
        {"organization": organization, "convention": " ", "by": BY},
        {"organization": organization, "convention": "Convention 12"},
        {"organization": organization, "convention": "Convention 12", "end": True, "by": BY, "why": "x"},
        {"organization": organization, "end": True, "by": BY},
        {"convention": "Convention 12", "by": BY},
        {"organization": "Organization/" + "0" * 32, "convention": "Convention 12", "by": BY},
        {"organization": organization.replace("Organization", "Practitioner"), "convention": "Convention 12", "by": BY},
    ):
        with pytest.raises(Refused):
            mandate(**words)
    assert told(settings) == before
