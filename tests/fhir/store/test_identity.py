from pathlib import Path

import pytest

from liaison.fhir.store import identity
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault


@pytest.mark.parametrize("spelling", ["Lefèvre-Née", "LEFEVRE NEE", "lefevre  née", "L'EFÈVRE NÉE".replace("'", "")])
def test_spellings_of_one_name_are_equal(spelling: str) -> None:
    assert identity.normalise(spelling) == "LEFEVRENEE"


def test_a_ligature_is_two_letters() -> None:
    assert identity.normalise("Lœtitia Cœur") == identity.normalise("LOETITIA COEUR")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("identifier=urn:x|1", ("urn:x", "1")),
        ("identifier=|1", ("", "1")),
        ("identifier=urn:x%7C1&name=a", ("urn:x", "1")),
        ("identifier=1", None),
        ("identifier=urn:x|", None),
        ("identifier=urn:x|1,urn:x|2", None),
        ("identifier=urn:x|1&identifier=urn:x|2", None),
        ("name=a", None),
    ],
)
def test_only_one_plain_identifier_of_a_query_names_its_lock(query: str, expected: tuple[str, str] | None) -> None:
    assert identity.identifier_of(query) == expected


async def test_a_person_is_found_by_each_given_name_and_no_single_trait(database: Database, tmp_path: Path) -> None:
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))
    tree = {
        "resourceType": "Patient",
        "name": [{"family": "Durand", "given": ["Jeanne", "Marie"]}, {"text": "la Jeanne"}],
        "birthDate": "1948-03-02",
        "identifier": [{"system": "urn:oid:1.2.250.1.213.1.4.10", "value": "248036501234567"}, {"use": "old"}],
    }

    found = identity.tokens(vault, tree)

    assert found == {
        (identity.TRAITS, identity.traits_token(vault, "DURAND", "jeanne", "1948-03-02")),
        (identity.TRAITS, identity.traits_token(vault, "durand", "MARIE", "1948-03-02")),
        (identity.INITIALS, identity.initials_token(vault, "DUR", "1948-03-02")),
        (identity.IDENTIFIER, identity.identifier_token(vault, "urn:oid:1.2.250.1.213.1.4.10", "248036501234567")),
    }
    assert identity.tokens(vault, {**tree, "birthDate": "1948", "identifier": []}) == set()
    assert identity.traits_token(vault, "A", "BC", "x") != identity.traits_token(vault, "AB", "C", "x")


async def test_the_first_letters_of_a_name_are_three_or_the_whole_of_a_short_one(
    database: Database, tmp_path: Path
) -> None:
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(tmp_path / "key"))

    def token(family: str) -> bytes:
        return identity.initials_token(vault, family, "1948-03-02")

    assert token("Lefèvre") == token("LEF") != token("LE")
    assert token("Ly") == token("LY") != token("LYS")
    assert token("LEF") != identity.initials_token(vault, "LEF", "1948-03-03")
