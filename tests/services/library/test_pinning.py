"""What was published stays what it was in effect: a later version of a step that it names changes nothing of it."""

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from liaison.protocols.apply import propose
from liaison.protocols.library import shipped
from liaison.protocols.library.library import Library, load
from liaison.protocols.library.pinning import open_names
from liaison.services.library import published as reading
from liaison.services.library import publishing
from liaison.services.library.publishing import NotPublished, publish

from ..oauth.conftest import Place, place, settings
from .walking import PLAN, write

__all__ = ["place", "settings"]

URL = "https://walk.example/PlanDefinition/walking"
STEP = "https://walk.example/ActivityDefinition/walk"
CHANGED = re.sub(r"(url: .*ActivityDefinition/walk\nversion: )1\.0\.0", r"\g<1>1.1.0", PLAN).replace(
    "title: Marche\n", "title: Marche\ndescription: Dix mille pas\n"
)
"""The same plan, beside another version of its step."""


def alone(folder: Path) -> Library:
    """That step, without the plan."""
    return Library(
        tuple(one for one in load(write(folder, CHANGED)) if one.canonical == f"{STEP}|1.1.0"),
    )


async def steps(place: Place) -> set[tuple[str, str]]:
    """(definition, description) of what would be applied now."""
    library = await reading.in_force(place.house.database.reading, place.house.vault)
    made = propose(library, URL, "Patient/x", [], date(2026, 11, 30))
    return {(one.definition, one.description) for one in made.steps}


async def test_a_later_version_of_a_step_changes_nothing_of_what_is_published(place: Place, tmp_path: Path) -> None:
    await publish(place.house, load(write(tmp_path / "one")), "Essai")
    before = await steps(place)
    await publish(place.house, alone(tmp_path / "two"), "Essai")

    assert before == await steps(place) == {(f"{STEP}|1.0.0", "")}
    out = await reading.published(place.house.database.reading, place.house.vault)
    assert [name for one in out for name in open_names(one, out)] == []
    assert await publish(place.house, load(write(tmp_path / "one")), "Essai") == ()


async def test_a_plan_with_another_step_is_another_version(place: Place, tmp_path: Path) -> None:
    await publish(place.house, load(write(tmp_path / "one")), "Essai")
    with pytest.raises(NotPublished) as refused:
        await publish(place.house, load(write(tmp_path / "two", CHANGED)), "Essai")
    [problem] = refused.value.problems
    assert "other content at PlanDefinition.action[0].definitionCanonical: give it a new version" in problem.text
    written = problem.file.read_text().splitlines()[problem.line - 1]
    assert written.strip() == f"definitionCanonical: {STEP}"


async def test_what_was_published_without_versions_names_what_was_out_then(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As releases before this one published."""
    with monkeypatch.context() as before:
        before.setattr(publishing, "all_pinned", lambda folder, *_: folder)
        await publish(place.house, load(write(tmp_path / "one")), "Essai")
    await publish(place.house, alone(tmp_path / "two"), "Essai")
    assert await steps(place) == {(f"{STEP}|1.0.0", "")}
    assert await publish(place.house, load(write(tmp_path / "one")), "Essai") == ()


async def test_unpinned_it_would_follow_the_step(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_written(one: Any, *_: Any) -> Any:
        return one

    monkeypatch.setattr(publishing, "all_pinned", as_written)
    monkeypatch.setattr(reading, "pinned", as_written)
    reading._KEPT.clear()
    await publish(place.house, load(write(tmp_path / "one")), "Essai")
    await publish(place.house, alone(tmp_path / "two"), "Essai")
    assert await steps(place) == {(f"{STEP}|1.1.0", "Dix mille pas")}
    reading._KEPT.clear()


def test_what_is_shipped_names_versions() -> None:
    assert [name for one in shipped() for name in open_names(one, shipped())] == []
