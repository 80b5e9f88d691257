"""`liaison journal prove`: what is no place in the journal is refused by name, before anything is opened."""

from pathlib import Path

import pytest

from liaison.services.command import Refused
from liaison.services.command.journal_proofs import prove


@pytest.mark.parametrize("entry", ["zero", "9" * 19, "9" * 5000], ids=["a word", "beyond every journal", "endless"])
def test_what_is_no_entry_is_refused_by_name(entry: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="neither the id of an AuditEvent nor a position"):
        prove(entry, tmp_path / "proof", tmp_path)
