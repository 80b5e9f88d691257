import os
from pathlib import Path

import pytest

from liaison.fhir.vault import FileKeyProvider, ProviderError


async def test_a_key_wrapped_opens_with_the_same_file(tmp_path: Path) -> None:
    made = FileKeyProvider.create(tmp_path / "key")
    wrapped = await made.wrap(b"s" * 32, b"here")

    assert await FileKeyProvider(tmp_path / "key").unwrap(wrapped, b"here") == b"s" * 32
    with pytest.raises(ProviderError, match=str(tmp_path)):
        await made.unwrap(wrapped, b"elsewhere")


async def test_another_file_is_refused_and_named(tmp_path: Path) -> None:
    wrapped = await FileKeyProvider.create(tmp_path / "key").wrap(b"s" * 32, b"")

    with pytest.raises(ProviderError, match="other is not the one this database was made with"):
        await FileKeyProvider.create(tmp_path / "other").unwrap(wrapped, b"")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=str(tmp_path / "key")):
        FileKeyProvider(tmp_path / "key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o666])
def test_a_file_open_to_others_is_refused_with_the_command_to_run(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    FileKeyProvider.create(path)
    path.chmod(mode)

    with pytest.raises(ProviderError, match=f"chmod 600 {path}"):
        FileKeyProvider(path)


@pytest.mark.parametrize("text", ["", "liaison-key-1 ", "liaison-key-1 zz", "liaison-key-1 00", "0" * 64])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key"
    path.touch(mode=0o600)
    path.write_text(text)

    with pytest.raises(ProviderError, match="not a Liaison key file"):
        FileKeyProvider(path)


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    FileKeyProvider.create(tmp_path / "key")
    before = (tmp_path / "key").read_text()

    with pytest.raises(ProviderError, match="exists"):
        FileKeyProvider.create(tmp_path / "key")
    assert (tmp_path / "key").read_text() == before
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_what_is_no_plain_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(mode=0o700)
    (tmp_path / "bytes").write_bytes(b"liaison-key-1 \xff\xfe")
    (tmp_path / "bytes").chmod(0o600)

    for name, said in (("folder", "not a file"), ("pipe", "not a file"), ("bytes", "not a Liaison key file")):
        with pytest.raises(ProviderError, match=f"{name} is {said}"):
            FileKeyProvider(tmp_path / name)


def test_a_key_that_cannot_be_made_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="cannot be made"):
        FileKeyProvider.create(tmp_path / "nowhere" / "key")
