"""The INS: unique in the territory, and never a way to learn who is known elsewhere (domain notes §1.4, design §5).

A matricule is recorded by `$register`, which checks it. A Patient created otherwise is provisional and carries none,
whether the matricule is known already or not: both look the same to whoever sends it. When it is known, a task opens in
the review list, which the sender does not see.
"""

from typing import Any, Final

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.standing import Standing
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.model import dump, read
from liaison.fhir.store import identity as tokens
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Labels, Tree
from liaison.fhir.store.ids import Ids, new_resource
from liaison.fhir.vault import Vault

INS_SYSTEMS: Final = frozenset(f"urn:oid:1.2.250.1.213.1.4.{number}" for number in (8, 9, 10, 11))
RELIABILITY: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"
STATUS: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"
_TASK: Final = kind_of("Task")
_PATIENT: Final = kind_of("Patient")
_BILLING: Final = ("http://terminology.hl7.org/CodeSystem/v2-0203", "NH")


class AlreadyKnown(Unprocessable):
    """The identity cell was about to record a matricule that another record has: someone was faster."""


def matricules(tree: Tree) -> list[tuple[str, str]]:
    """(system, value) of the INS that a Patient carries. A billing number (NSS) with the same system is none."""
    return [
        (one["system"], one["value"])
        for one in tree.get("identifier") or ()
        if one.get("system") in INS_SYSTEMS and isinstance(one.get("value"), str) and not _is_billing(one)
    ]


def _is_billing(identifier: dict[str, Any]) -> bool:
    codings = (identifier.get("type") or {}).get("coding") or ()
    return any((coding.get("system"), coding.get("code")) == _BILLING for coding in codings)


async def keep_unique(
    connection: asyncpg.Connection, vault: Vault, ids: Ids, who: Standing, changes: list[Change]
) -> None:
    """Takes the matricule off what an ordinary caller creates; refuses that an update adds one.

    Within the locks of the identifiers written, which the store takes first: two equal ones never pass each other.
    """
    for change in [one for one in changes if one.type_ == "Patient" and one.tree is not None]:
        assert change.tree is not None
        stated = matricules(change.tree)
        if not stated:
            continue
        if who.internal is not None:
            if who.internal.name == "identity" and await _known(connection, vault, stated, change.key.patient):
                raise AlreadyKnown("This INS has a record.")
            continue
        if change.interaction == "update":
            if set(stated) - set(matricules(change.before or {})):
                raise Unprocessable("An INS is recorded by Patient/$register, which checks it.", "Patient.identifier")
            continue
        if await _known(connection, vault, stated, change.key.patient):
            changes.append(_duplicate(ids, change))
        change.tree = provisional(change.tree)
        change.body = dump(change.tree)


async def _known(connection: asyncpg.Connection, vault: Vault, stated: list[tuple[str, str]], besides: int) -> bool:
    """Whether another record has one of these as its matricule: not as the number that somebody's care is billed on,
    which may be a parent's and whose token is the same."""
    records = await connection.fetch(
        f"select distinct {rows.COLUMNS}, null from identity_token t"  # our own words
        " join version v on v.patient = t.patient and v.kind = t.kind and v.res = t.res and v.superseded is null"
        " where t.space = $1 and t.token = any($2::bytea[]) and t.kind = $3 and t.patient <> $4 and not v.deleted",
        tokens.IDENTIFIER,
        [tokens.identifier_token(vault, *one) for one in stated],
        _PATIENT,
        besides,
    )
    found = [rows.row_of(record) for record in records]
    keys = await vault.patient_keys(connection, {row.key.patient for row in found})
    bodies = (rows.open_(keys[row.key.patient], row) for row in found if row.key.patient in keys)
    return any(not set(stated).isdisjoint(matricules(read(body))) for body in bodies)


def provisional(tree: Tree) -> Tree:
    """The same Patient without a matricule, its identity provisional."""
    return with_status(tree, "PROV")


def with_status(tree: Tree, status: str) -> Tree:
    """The same Patient with this status of identity. Only a qualified one carries its matricule."""
    given = tree.get("identifier") or []
    kept = [one for one in given if status == "QUAL" or one.get("system") not in INS_SYSTEMS or _is_billing(one)]
    rest = {name: value for name, value in tree.items() if name != "identifier"}
    others = [one for one in tree.get("extension") or () if one.get("url") != RELIABILITY]
    rest["extension"] = [*others, reliability(status)]
    return {**rest, "identifier": kept} if kept else rest


def reliability(status: str) -> Tree:
    """The FR Core extension that carries the status of an identity: PROV, VALI, RECUP or QUAL."""
    return {
        "url": RELIABILITY,
        "extension": [{"url": "identityStatus", "valueCoding": {"system": STATUS, "code": status}}],
    }


def _duplicate(ids: Ids, change: Change) -> Change:
    """The task of the identity cell: this record and another may be of one person."""
    assert change.tree is not None
    key = Key(change.key.patient, _TASK, new_resource())
    tree: Tree = {
        "resourceType": "Task",
        "id": ids.encode(key),
        "meta": {"versionId": "1", "lastUpdated": change.tree["meta"]["lastUpdated"]},
        "status": "requested",
        "intent": "order",
        "code": {"coding": [{"system": vocabulary.REVIEW, "code": "duplicate", "display": "Doublon possible"}]},
        "for": {"reference": f"Patient/{ids.encode(change.key)}"},
        "authoredOn": change.tree["meta"]["lastUpdated"],
    }
    return Change("create", key, "Task", 1, tree, labels=Labels(int(Class.AUD)), body=dump(tree), at=change.at)
