"""Check digits against vectors that were computed elsewhere; what is doubtful is said with its place, not its value."""

from typing import Any

import pytest

from liaison.fhir.model.check_digits import doubtful, ins_ok, luhn_ok, nir_key


@pytest.mark.parametrize("number", ["10100000008", "290000017", "750712184", "732829320", "73282932000074"])
def test_known_numbers_pass_the_luhn_check(number: str) -> None:
    assert luhn_ok(number)
    assert not luhn_ok(number[:-1] + str((int(number[-1]) + 1) % 10))


@pytest.mark.parametrize(("thirteen", "key"), [("2600588154002", "33"), ("147042A004001", "84")])
def test_nir_keys_are_right(thirteen: str, key: str) -> None:
    assert nir_key(thirteen) == key


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("260058815400233", True),
        ("147042A00400184", True),
        ("260058815400234", False),
        ("26005881540023", False),
        ("2600588154002AB", False),
        ("", False),
    ],
)
def test_a_matricule_has_fifteen_characters_and_its_key(value: str, right: bool) -> None:
    assert ins_ok(value) is right


INS, SIRENE = "urn:oid:1.2.250.1.213.1.4.8", "https://sirene.fr"


@pytest.mark.parametrize(
    ("type_", "system", "value", "said"),
    [
        ("Patient", INS, "123456789012244", "INS"),  # as an official example has it
        ("Patient", INS, "260058815400233", ""),
        ("Patient", "urn:oid:1.2.3", "123456789012244", ""),
        ("Practitioner", "https://rpps.esante.gouv.fr", "10003461033", "RPPS"),
        ("Practitioner", "https://rpps.esante.gouv.fr", "10100000008", ""),
        ("PractitionerRole", "https://rpps.esante.gouv.fr", "1010399870", ""),
        ("Organization", "https://finess.esante.gouv.fr", "754567860", "FINESS"),
        ("Organization", "https://finess.esante.gouv.fr", "2A0000014", ""),
        ("Organization", SIRENE, "73282932000074", ""),
        ("Organization", SIRENE, "35600000000047", ""),  # the post office adds up otherwise
        ("Organization", SIRENE, "3560000000004\N{SUPERSCRIPT TWO}", "SIRE"),
        ("Patient", INS, "2600588154002\N{ARABIC-INDIC DIGIT THREE}\N{ARABIC-INDIC DIGIT THREE}", "INS"),
        ("Patient", INS, "\N{ARABIC-INDIC DIGIT TWO}60058815400233", "INS"),
        ("Organization", SIRENE, "732829321", "SIREN"),
    ],
)
def test_what_is_doubtful_is_said_with_its_place(type_: str, system: str, value: str, said: str) -> None:
    tree: dict[str, Any] = {"resourceType": type_, "identifier": [{"use": "old"}, {"system": system, "value": value}]}
    found = list(doubtful(tree))
    assert bool(found) is bool(said)
    for path, words in found:
        assert path == f"{type_}.identifier[1].value"
        assert said in words
        assert value not in words
