"""A change of the settings is an entry of the journal; the same settings, and those of one machine alone, are none."""

from typing import Any

import pytest

from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.sealing import COLUMNS, Record, unseal
from liaison.services import governing
from liaison.services.house import House
from liaison.services.settings import Settings


async def noted(house: House, **changed: Any) -> list[Entry]:
    """Every entry of settings once the service has started with these changes."""
    object.__setattr__(house, "settings", house.settings.model_copy(update=changed))
    await governing.note(house)
    rows = await house.database.reading.fetch(
        f"select {', '.join(COLUMNS)} from journal_entry where event = $1 order by at, sequence desc",
        int(Event.CONFIGURATION),
    )
    return [unseal(house.journal_keys, Record(*row)) for row in rows]


async def test_a_change_of_the_settings_is_an_entry_and_names_what_changed(house: House) -> None:
    [first] = await noted(house)
    assert first.detail is not None
    assert first.detail["changed"] == []
    assert first.detail["settings"]["public_url"] == "https://liaison.test"
    assert await noted(house) == [first]
    _, second = await noted(house, metrics=False, cors_origins=("https://app.example",))
    assert second.detail is not None
    assert second.detail["changed"] == ["cors_origins", "metrics"]
    assert second.detail["settings"]["cors_origins"] == ["https://app.example"]
    assert len(await noted(house, port=9999, workers=4)) == 2
    assert len(await noted(house, metrics=True)) == 3


async def test_another_version_is_a_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    await noted(house)
    monkeypatch.setattr(governing, "version", lambda _: "99.0")
    *_, last = await noted(house)
    assert last.detail is not None
    assert last.detail["changed"] == ["version"]


def test_every_setting_governs_or_is_of_the_machine_and_no_secret_is_told() -> None:
    assert set(Settings.model_fields) >= governing.OF_THE_MACHINE
    told = governing.governing(
        Settings(database_url="postgresql://liaison:secret@db/liaison", public_url="https://x.test")
    )
    assert told.keys() == {*Settings.model_fields, "version"} - governing.OF_THE_MACHINE
    assert "secret" not in str(told)
