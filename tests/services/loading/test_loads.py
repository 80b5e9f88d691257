"""What one process takes at a time."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from liaison.services.loading import loads
from liaison.services.loading.sources import Group, groups, merged, read_part


def put(path: Path, tree: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    text = json.dumps(tree).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


BUNDLE = {"resourceType": "Bundle", "id": "b", "meta": {"lastUpdated": "2026-01-01T00:00:00Z"}, "type": "batch"}


def test_single_resources_of_one_folder_stay_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "ENOUGH", 1)
    put(tmp_path / "1.json", {**BUNDLE, "entry": [{"resource": {"resourceType": "Patient"}}]})
    put(tmp_path / "2.json.gz", {**BUNDLE, "entry": []})
    put(tmp_path / "3.json", {"resourceType": "Patient"})
    put(tmp_path / "4.json", {**BUNDLE, "type": "document"})  # a resource
    put(tmp_path / "5.json", {"entry": [], **BUNDLE})  # begins otherwise: read with those before it
    put(tmp_path / "a" / "6.json", {"resourceType": "Patient"})
    (tmp_path / "a" / "7.ndjson").write_text("".join('{"resourceType":"Patient"}\n' for _ in range(1500)))

    found = list(loads.loads([tmp_path]))

    named = [[part.path.name for part in load] for load in found]
    assert named == [["1.json"], ["2.json.gz"], ["3.json", "4.json", "5.json"], ["6.json"], ["7.ndjson"], ["7.ndjson"]]
    by_load = [group for load in found for group in merged(map(read_part, load))]
    assert list(map(_told, by_load)) == list(map(_told, groups([tmp_path])))


def _told(group: Group) -> tuple[str, list[str]]:
    return group.name, [item.where for item in group.items]


def test_small_files_are_taken_together(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / f"{name}.json", {**BUNDLE, "entry": []})

    assert [len(load) for load in loads.loads([tmp_path])] == [3]


def test_what_comes_first_waits_for_little_beside_it(tmp_path: Path) -> None:
    """A directory that all the records ask for, and the records."""
    for name in "abcdef":
        put(tmp_path / f"{name}.json", {**BUNDLE, "entry": [], "signature": {"data": "x" * (loads.ENOUGH // 5)}})

    assert [len(load) for load in loads.loads([tmp_path])] == [1, 5]
