"""`liaison rules show, check`, without a base."""

from pathlib import Path

from typer.testing import CliRunner

from liaison.services.command.rules import rules


def test_the_table_shown_is_one_that_checks_and_a_wider_one_says_so(tmp_path: Path) -> None:
    shown = CliRunner().invoke(rules, ["show"]).stdout
    file = tmp_path / "table.yaml"
    file.write_text(shown, "utf-8")
    same = CliRunner().invoke(rules, ["check", str(file)])
    assert (same.exit_code, "plus large :" in same.stdout) == (0, False)

    file.write_text(shown.replace("read: [MEDS, ALLERGY, LAB, ETP]", "read: [MEDS, SENS]"), "utf-8")
    wide = CliRunner().invoke(rules, ["check", str(file)])
    assert (wide.exit_code, "plus large : pharmacist, team, all : lit aussi SENS" in wide.stdout) == (0, True)

    file.write_text(shown.replace("LAB, ETP]", "LABS, ETP]"), "utf-8")
    assert CliRunner().invoke(rules, ["check", str(file)]).exit_code == 1
