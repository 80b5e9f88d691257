"""From the columns of a version to a Row, and from a Row's sealed bytes to the stored ones."""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import orjson

from liaison.fhir.store.contract import Grant, Key, Row, make
from liaison.fhir.vault import PatientKey, context

COLUMNS: Final = (
    "v.patient, v.kind, v.res, v.version, v.at, v.deleted, v.classes, v.author, v.service, v.addressee, v.sealed"
)
"""What `row_of` expects of a version `v`, followed by the access filter's evidence."""

# The same bytes as context("record", kind, res, version), made in a quarter of the time.
_BOUND = struct.Struct(">I6sIqIqIq").pack
assert _BOUND(6, b"record", 8, 1, 8, -2, 8, 3) == context("record", 1, -2, 3)

_MOST: Final = 4096
_NO_GRANTS: Final[tuple[Grant, ...]] = ()


def row_of(record: Sequence[Any]) -> Row:
    """`record` starts with COLUMNS and the evidence."""
    patient, kind, res, version, at, deleted, classes, author, service, addressee, sealed, evidence = record[:12]
    grants = grants_of(evidence, author, service, addressee)
    key = make(Key, (patient, kind, res))
    return make(Row, (key, version, at, deleted, classes, author, service, addressee, sealed, grants))


def rows_of(records: Iterable[Sequence[Any]]) -> list[Row]:
    """`row_of` each."""
    return list(map(row_of, records))


@lru_cache(maxsize=_MOST)
def grants_of(evidence: str | None, author: int, service: int, addressee: int) -> tuple[Grant, ...]:
    """The grants in the evidence of the access filter that apply to a row of these owners.

    Rows seen by the same grants, as those of one record mostly are, have one and the same tuple of them: what follows from
    the grants is then found once (`id(row.grants)`).
    """
    if evidence is None:
        return _NO_GRANTS
    grants = map(Grant._make, orjson.loads(evidence.translate(_BRACKETS)))
    return tuple(
        [
            one
            for one in grants
            if one.author in (0, author) and one.service in (0, service) and one.addressee in (0, addressee)
        ]
    )


_BRACKETS: Final = str.maketrans("{}", "[]")


def bound_to(key: Key, version: int) -> bytes:
    """What a body is bound to, besides its patient and data key: no row opens in the place of another."""
    return _BOUND(6, b"record", 8, key.kind, 8, key.res, 8, version)


def seal(patient_key: PatientKey, key: Key, version: int, body: bytes) -> bytes:
    return patient_key.seal(bound_to(key, version), body)


def open_(patient_key: PatientKey, row: Row) -> bytes:
    """The stored bytes. Raises NotAuthentic."""
    return patient_key.open(bound_to(row.key, row.version), row.sealed)


def owner_token(patient_key: PatientKey, reference: str) -> int:
    """The token of an author, a service or an addressee in the columns of a version and of a grant; 0 for none.

    `reference` is relative and without version: 'Practitioner/<id>'.
    """
    return patient_key.token(_OWNER, reference.encode()) if reference else 0


_OWNER: Final = -1  # no search parameter has this number
