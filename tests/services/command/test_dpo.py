"""`liaison dpo papers` beside a running service."""

from pathlib import Path
from typing import Any

import pytest

from liaison.services.command.journal_opened import settings_on
from liaison.services.dpo import writing
from liaison.services.sandbox.folder import MARKER, Folder

from .conftest import Console

pytestmark = pytest.mark.http


def test_it_writes_every_paper_and_names_the_structures_that_work_here(
    service: Any, console: Console, tmp_path: Path
) -> None:
    with service.client("gp") as gp:
        found = gp.get("/Organization", params={"_count": "200"}).json()["entry"]
    names = {entry["resource"]["name"] for entry in found if entry["resource"].get("active", True)}
    done = console.run("dpo", "papers", "--into", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert sorted(Path(line).name for line in done.stdout.splitlines()) == sorted(
        f"{name}{end}" for name in writing.PAPERS for end in (".md", ".html")
    )
    convention = (tmp_path / "convention.md").read_text("utf-8")
    assert names
    for name in names:
        assert f"- {writing.cell(name)}, représentée par **à compléter**" in convention


def test_the_papers_of_a_sandbox_name_the_address_where_it_is_served(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    assert settings_on(tmp_path).public_url.endswith(":8080")
    Folder(tmp_path).file.write_text('{"issuer": "http://127.0.0.1:8471"}')
    assert settings_on(tmp_path).public_url == "http://127.0.0.1:8471"
