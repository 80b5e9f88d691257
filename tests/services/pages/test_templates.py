"""Templates of pages: all of them compile, and what a running service shows is what it was started with."""

from pathlib import Path

import pytest

from liaison.services.pages import layout
from liaison.services.pages.layout import environment


def test_every_template_compiles() -> None:
    """In French: what is compiled is the same in every language, whose words are looked up when a page is made."""
    names = environment("fr").list_templates()

    assert {"base.html", "home_care/visit.html", "welcome/territory.html"} <= set(names)
    for name in names:
        assert environment("fr").get_template(name).name == name


def test_a_template_that_changes_on_disk_changes_nothing_of_what_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path, *_: object, **__: object) -> str:
        raise AssertionError(f"{path} is read while serving")

    environment.cache_clear()
    monkeypatch.setattr("builtins.open", gone)
    monkeypatch.setattr(Path, "read_text", gone)
    try:
        made = layout.environment("fr")
        assert made.loader is not None
        for name in made.list_templates():
            made.loader.get_source(made, name)
        made.get_template("home_care/visit.html")
    finally:
        monkeypatch.undo()
        environment.cache_clear()
