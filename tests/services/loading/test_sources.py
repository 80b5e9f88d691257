"""Reading what is to be imported."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from liaison.services.loading import sources
from liaison.services.loading.sources import Unreadable, groups


def put(path: Path, *trees: Mapping[str, object]) -> Path:
    text = "\n".join(json.dumps(tree) for tree in trees).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def names(paths: list[Path]) -> list[list[str]]:
    return [[item.local_name for item in group.items] for group in groups(paths)]


def test_single_files_of_a_folder_are_one_group(tmp_path: Path) -> None:
    put(tmp_path / "b.json", {"resourceType": "Patient", "id": "b"})
    put(tmp_path / "a.json.gz", {"resourceType": "Patient", "id": "a"})
    put(tmp_path / "below" / "c.json", {"resourceType": "Patient", "id": "c"})
    put(tmp_path / "readme.txt", {})

    assert names([tmp_path]) == [["Patient/a", "Patient/b"], ["Patient/c"]]


def test_a_bundle_is_a_group_of_its_own(tmp_path: Path) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:1",
                "resource": {"resourceType": "Patient", "id": "a"},
                "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=x|1"},
            },
            {"response": {"status": "201"}},
        ],
    }
    path = put(tmp_path / "bundle.json", bundle)

    (group,) = groups([path])

    assert group.whole
    (item,) = group.items
    assert (item.name, item.local_name, item.none_exist) == ("urn:uuid:1", "Patient/a", "identifier=x|1")
    assert item.where == f"{path} Bundle.entry[0]"


def test_a_document_bundle_is_a_resource(tmp_path: Path) -> None:
    put(tmp_path / "a.json", {"resourceType": "Bundle", "id": "d", "type": "document"})

    assert names([tmp_path]) == [["Bundle/d"]]


def test_lines_come_in_runs_and_what_others_refer_to_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "LINES_AT_ONCE", 2)
    put(tmp_path / "1.ndjson", *({"resourceType": "Observation", "id": str(n)} for n in range(3)))
    put(tmp_path / "2.ndjson.gz", {"resourceType": "Patient", "id": "p"})
    put(tmp_path / "3.ndjson", {"resourceType": "Organization", "id": "o"})

    assert names([tmp_path]) == [
        ["Organization/o"],
        ["Patient/p"],
        ["Observation/0", "Observation/1"],
        ["Observation/2"],
    ]


def test_a_line_that_is_no_json_is_a_problem_of_that_line(tmp_path: Path) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text('{"resourceType":"Patient","id":"1"}\nnope\n[1]\n')

    (group,) = groups([path])

    assert [item.where for item in group.items if item.problem] == [f"{path}:2", f"{path}:3"]


@pytest.mark.parametrize("name", ["missing.json", "notes.txt", "empty"])
def test_a_path_that_holds_nothing_to_read_stops_the_import(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "empty").mkdir()

    with pytest.raises(Unreadable, match=name):
        list(groups([tmp_path / name]))


@pytest.mark.parametrize("name", ["a.json.gz", "a.ndjson.gz"])
@pytest.mark.parametrize("cut", [slice(0, -9), slice(12, None)], ids=["truncated", "no gzip"])
def test_a_damaged_file_is_a_problem_of_that_file(tmp_path: Path, name: str, cut: slice) -> None:
    put(tmp_path / "b.json", {"resourceType": "Patient", "id": "b"})
    path = put(tmp_path / name, {"resourceType": "Patient", "id": "a"})
    path.write_bytes(path.read_bytes()[cut])

    items = [item for group in groups([tmp_path]) for item in group.items]

    assert [item.local_name for item in items if item.problem is None] == ["Patient/b"]
    [damaged] = [item for item in items if item.problem is not None]
    assert damaged.where.startswith(str(path))
    assert "cannot be read" in str(damaged.problem)


def test_a_gz_damaged_within_a_block_is_a_problem_of_that_file(tmp_path: Path) -> None:
    path = put(tmp_path / "a.json.gz", {"resourceType": "Patient", "id": "a", "language": "fr"})
    packed = bytearray(path.read_bytes())
    packed[12:20] = b"\xff" * 8
    path.write_bytes(packed)

    [item] = [item for group in groups([path]) for item in group.items]

    assert item.problem is not None


@pytest.mark.parametrize(
    ("entries", "problems"),
    [
        ([{"resource": 5}, {"fullUrl": "urn:x"}, 7, {"resource": {"resourceType": "Patient"}}], 3),
        ([{"request": {"method": "DELETE", "url": "Patient/1"}}], 1),
        ("nothing", 1),
    ],
    ids=["no objects", "a deletion", "no list"],
)
def test_an_entry_without_a_resource_is_a_problem_and_not_passed_over(
    tmp_path: Path, entries: object, problems: int
) -> None:
    path = put(tmp_path / "a.json", {"resourceType": "Bundle", "type": "collection", "entry": entries})

    [group] = groups([path])

    assert len([item for item in group.items if item.problem is not None]) == problems


def test_of_a_history_the_oldest_state_comes_first_and_deletions_are_nothing_to_store(tmp_path: Path) -> None:
    entries = [
        {"fullUrl": "urn:x", "request": {"method": "DELETE", "url": "Patient/1"}},
        {"fullUrl": "urn:x", "resource": {"resourceType": "Patient", "id": "1", "language": "fr"}},
        {"fullUrl": "urn:x", "resource": {"resourceType": "Patient", "id": "1", "language": "en"}},
    ]
    path = put(tmp_path / "a.json", {"resourceType": "Bundle", "type": "history", "entry": entries})

    [group] = groups([path])

    assert [(item.tree or {})["language"] for item in group.items] == ["en", "fr"]
