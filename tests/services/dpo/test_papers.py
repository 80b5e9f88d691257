"""The papers say what this installation is, invent nothing, and are kept when somebody has completed them."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import liaison.auth.schema  # noqa: F401  # declares its tables
from liaison.auth.access.table import packaged
from liaison.fhir.store.schema import metadata
from liaison.services.custody import papers as founded
from liaison.services.custody.papers import Papers
from liaison.services.dpo import told as telling
from liaison.services.dpo import writing
from liaison.services.dpo.told import Software, Told
from liaison.services.house import House
from liaison.services.settings import Settings

COMMITTED = Path(__file__).parents[3] / "docs" / "dpo"
SOMEWHERE = Told(
    address="https://liaison.exemple.fr",
    founded=date(2027, 1, 4),
    hds_host="Hébergeur d'essai",
    hds_until=date(2028, 6, 30),
    journal_years=6,
    structures=("CCAS d'Essai", "Maison de santé du Port"),
    software=(Software("Logiciel d'essai", "backend", "system/Observation.rs"),),
    conventions=("Délibération 2027-12",),
)


def test_docs_hold_the_papers_of_no_installation() -> None:
    assert {path.stem: path.read_text("utf-8") for path in COMMITTED.glob("*.md")} == writing.markdown(Told())


@pytest.mark.parametrize("name", writing.PAPERS)
def test_what_only_people_can_say_is_left_to_them(name: str) -> None:
    assert "à compléter" in writing.markdown(Told())[name]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("registre", "https://liaison.exemple.fr"),
        ("conservation", "6 ans, choisis à l'installation"),
        ("registre", "| Logiciel d'essai | système | system/Observation.rs |"),
        ("registre", "Hébergeur d'essai, certificat jusqu'au 30/06/2028"),
        ("convention", "- Maison de santé du Port, représentée par"),
        ("convention", "- Délibération 2027-12"),
        ("fiche-patient", "CCAS d'Essai, Maison de santé du Port"),
        ("aipd", "2 structures"),
        ("affiche", "https://liaison.exemple.fr/regles"),
    ],
)
def test_what_the_installation_knows_is_written(name: str, said: str) -> None:
    assert said in writing.markdown(SOMEWHERE)[name]
    assert said not in writing.markdown(Told())[name]


def test_the_annex_has_every_row_of_the_table_in_force() -> None:
    annex = writing.markdown(Told())["convention"].partition("## Annexe")[2]
    assert [line.split(" | ")[0].removeprefix("| ") for line in annex.splitlines()[4:]] == [
        row.label for row in packaged().rows
    ]


def test_every_kind_of_data_has_its_period_and_its_reason() -> None:
    table = [line for line in writing.markdown(Told())["conservation"].splitlines() if line.startswith("| ")][1:]
    assert len(table) >= 12
    for line in table:
        assert all(part.strip() for part in line.strip("|").split(" | ")), line
        assert line.count(" | ") == 4


RECORD, JOURNAL, ACCOUNT, SOFTWARE = "Dossier partagé", "Journal des accès", "Comptes des prof", "Logiciels reliés"
REVIEW, SESSION, SENT = "Accès à revoir", "Séances", "Visites envoyées"
KEPT = {
    **dict.fromkeys(("version", "index_date", "index_token", "identity_token", "referring", "patient"), RECORD),
    **dict.fromkeys(
        ("archived_record", "legal_hold", "relation", "access_grant", "signal_watch", "planned", "plan_to_end"), RECORD
    ),
    **dict.fromkeys(("import_ledger", "search_list"), "Index de recherche"),
    "import_destroyed": "Trace de la destruction",
    **dict.fromkeys(("journal_entry", "journal_position", "journal_tile", "journal_head", "journal_key"), JOURNAL),
    **dict.fromkeys(("journal_checkpoint", "journal_verdict"), JOURNAL),
    **dict.fromkeys(("unusual_access", "unusual_finding", "unusual_word", "review_case", "case_step"), REVIEW),
    "access_question": "Questions sur un accès",
    "named_review": "Revues du journal",
    "notice": "Avis à lire",
    "identity_check": "Contrôle de l'identité",
    **dict.fromkeys(
        ("account", "held_role", "awaiting_role", "known_profession", "passkey", "totp", "recovery"), ACCOUNT
    ),
    **dict.fromkeys(("directory_version", "directory_index_date", "directory_index_token"), ACCOUNT),
    "access_session": SESSION,
    **dict.fromkeys(("browser_session", "ceremony", "rate_limit"), "Session d'une page"),
    **dict.fromkeys(("first_access", "first_code", "sealed_code"), "Invitation"),
    **dict.fromkeys(("identity_attempt", "identity_lock"), "Essais pour retrouver"),
    "kept_form": "Formulaire interrompu",
    "saved_view": "Vues de la cohorte",
    "sent_form": "Formulaire envoyé",
    **dict.fromkeys(("alert_reader", "designated"), "Destinataires désignés"),
    **dict.fromkeys(("alert_change", "alert_message"), "Messages aux destinataires"),
    **dict.fromkeys(("sent_visit", "visit_key", "phone"), SENT),
    **dict.fromkeys(("client", "client_activation", "client_approval", "client_request", "client_error"), SOFTWARE),
    **dict.fromkeys(("authorization_code", "refresh_token", "launch", "pushed_request", "assertion_seen"), SOFTWARE),
}
"""By table, the beginning of its line."""
NOBODYS = {
    *(
        "adopted_rules",
        "audit_mandate",
        "installation",
        "mailbox_place",
        "organization_part",
        "published_definition",
        "put_aside",
        "regranting",
        "reindexing",
    ),
    *(
        "search_parameter",
        "search_revision",
        "service_number",
        "shelf",
        "signal_adoption",
        "signal_pass",
        "signing_key",
        "territory_key",
        "visit_form",
        "unusual_choice",
        "unusual_progress",
    ),
}
"""Tables that hold nothing of anybody, but who chose a rule or gave a mandate."""


def test_every_table_with_data_of_people_has_its_line() -> None:
    table = [line[2:] for line in writing.markdown(Told())["conservation"].splitlines() if line.startswith("| ")][1:]
    assert set(metadata.tables) == KEPT.keys() | NOBODYS
    assert not KEPT.keys() & NOBODYS
    assert {begins for begins in KEPT.values() if not any(line.startswith(begins) for line in table)} == set()


def test_a_name_is_text_and_nothing_else() -> None:
    name = "A | <b>x</b> [y](https://ailleurs.test) `z` *w*\n# B"
    made = writing.markdown(replace(SOMEWHERE, structures=(name,), software=(Software(name, "app", ""),)))
    for paper in ("registre", "convention", "fiche-patient"):
        page = writing.html(made[paper], "Essai")
        assert "<b>x" not in page
        assert 'href="https://ailleurs.test' not in page
        assert "<h1>B" not in page
        assert "A | &lt;b&gt;x&lt;/b&gt; [y](https://ailleurs.test) `z` *w* # B" in page


def test_a_paper_that_was_completed_is_kept(tmp_path: Path) -> None:
    writing.write(SOMEWHERE, tmp_path)
    mine = tmp_path / "aipd.md"
    mine.write_text("Validée le 12 mai.", "utf-8")
    writing.write(SOMEWHERE, tmp_path)
    mine.write_text("Validée le 13 mai.", "utf-8")
    writing.write(SOMEWHERE, tmp_path)
    assert "Validée le 12 mai." in (tmp_path / "aipd.md.ancien-1").read_text("utf-8")
    assert "Validée le 13 mai." in (tmp_path / "aipd.md.ancien-2").read_text("utf-8")
    assert mine.read_text("utf-8") == writing.markdown(SOMEWHERE)["aipd"]
    assert not list(tmp_path.glob("registre*ancien*"))  # what nobody touched is not kept twice


async def test_they_are_told_of_this_installation(house: House, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data", public_url="https://liaison.exemple.fr")
    settings.data.mkdir(exist_ok=True)
    founded.write(settings.data, Papers("2027-01-04T10:00:00+00:00", "Hébergeur d'essai", "2028-06-30"))
    await house.database.writing.execute(
        "insert into client (client, client_id, kind, name, scope, active) values"
        " (1, 'un', 'app', 'Logiciel suivi', 'patient/*.rs', true), (2, 'deux', 'app', 'Logiciel fini', '', false)"
    )
    await house.database.writing.execute("insert into audit_mandate values (7, 'Délibération 2027-12')")
    known = await telling.gathered(house, settings)
    assert (known.address, known.founded, known.hds_host, known.hds_until) == (
        "https://liaison.exemple.fr",
        date(2027, 1, 4),
        "Hébergeur d'essai",
        date(2028, 6, 30),
    )
    assert known.software == (Software("Logiciel suivi", "app", "patient/*.rs"),)
    assert known.conventions == ("Délibération 2027-12",)
    assert known.rules_version == packaged().version
