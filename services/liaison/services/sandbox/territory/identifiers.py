"""French identifiers with right check digits, in the ranges kept for tests (domain notes §1.2, §1.3).

Nothing here can name a real person or place: RPPS numbers begin with 997, FINESS numbers use the unassigned range
56 0 99x xxx, INS matricules are issued under the test OID and with birth ranks of 900 and above.
"""

from datetime import date

from liaison.fhir.model.check_digits import luhn_digit, nir_key


def rpps(number: int) -> str:
    """Eleven digits: 997, seven digits, Luhn. The 997 range is that of test professionals."""
    body = f"997{number:07d}"
    return body + luhn_digit(body)


def finess(number: int) -> str:
    """Nine characters: department 56, 0, 99 and three digits, Luhn."""
    body = f"56099{number:03d}"
    return body + luhn_digit(body)


def siret(number: int) -> str:
    """Fourteen digits whose SIREN (the first nine) has a right key too; 999 is not an assigned range."""
    siren = f"99956{number:03d}"
    siren += luhn_digit(siren)
    body = f"{siren}0001"
    return body + luhn_digit(body)


def ins(sex: str, born: date, birthplace: str, rank: int) -> str:
    """A matricule of fifteen characters: sex, year, month, INSEE code of the birthplace, rank from 900, key."""
    if not 0 <= rank < 100:
        raise ValueError("rank must lie in 0..99, so that the matricule stays in the 900 range")
    body = f"{1 if sex == 'male' else 2}{born.year % 100:02d}{born.month:02d}{birthplace}{900 + rank}"
    return body + nir_key(body)
