"""Signed notes and checkpoints. Vectors: golang.org/x/mod/sumdb/note, note_test.go (the reference implementation)."""

import base64

import pytest

from liaison.auth.journal.checkpoint import NotSigned, Signer, Verifier

KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SECRET = "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"


def test_a_signed_note_is_that_of_the_reference_implementation() -> None:
    signer = Signer(base64.b64decode(SECRET)[1:], "PeterNeumann")
    assert signer.sign(TEXT) == f"{TEXT}\n{PETER}"
    assert str(signer.verifier) == KEY


def test_other_signatures_on_a_note_are_not_looked_at() -> None:
    assert Verifier.parse(KEY).text(f"{TEXT}\n{ENOCH}{PETER}") == TEXT


@pytest.mark.parametrize(
    "note",
    [
        TEXT,
        f"{TEXT}\n",
        f"{TEXT}\n{PETER[:-1]}",
        f"\x01{TEXT}\n{PETER}",
        f"{TEXT}\n{ENOCH}",
        f"{TEXT}\n{PETER}Unexpected line.\n",
        f"{TEXT.replace('problem', 'question')}\n{PETER}",
        f"{TEXT}\n— Bad Name {PETER.split()[-1]}\n",
        "",
    ],
)
def test_a_note_that_was_not_signed_so_is_refused(note: str) -> None:
    with pytest.raises(NotSigned):
        Verifier.parse(KEY).text(note)


def test_no_piece_and_no_neighbour_of_a_key_is_a_key() -> None:
    pieces = {KEY[i:j] for i in range(len(KEY)) for j in range(i + 1, len(KEY) + 1)} - {KEY}
    neighbours = {KEY[:i] + chr(ord(KEY[i]) + 1) + KEY[i + 1 :] for i in range(len(KEY))}
    for text in pieces | neighbours:
        with pytest.raises(NotSigned):
            Verifier.parse(text)


def test_a_checkpoint_gives_back_its_size_and_root() -> None:
    signer = Signer(b"s" * 32)
    opened = signer.verifier.open(signer.checkpoint(12, b"r" * 32))
    assert (opened.origin, opened.size, opened.root) == (signer.verifier.name, 12, b"r" * 32)
    assert Verifier.parse(str(signer.verifier)).open(signer.checkpoint(12, b"r" * 32)) == opened


@pytest.mark.parametrize(
    "body", ["{name}\n012\n{root}\n", "{name}\n-1\n{root}\n", "other\n12\n{root}\n", "{name}\n12\nAA==\n"]
)
def test_a_signed_text_that_is_no_checkpoint_of_this_log_is_refused(body: str) -> None:
    signer = Signer(b"s" * 32)
    text = body.format(name=signer.verifier.name, root=base64.b64encode(b"r" * 32).decode())
    with pytest.raises(NotSigned):
        signer.verifier.open(signer.sign(text))


def test_two_installations_never_share_a_log_name() -> None:
    assert Signer(b"a" * 32).verifier.name != Signer(b"b" * 32).verifier.name
