"""The INS: unique in the territory, and never a way to learn who is known elsewhere (domain notes §1.4, design §5).

A matricule is recorded by `$register` and `$identify`, which check it; a qualified identity carries one and no other does,
whichever generation of FR Core states it. A Patient created otherwise is provisional and carries none,
whether the matricule is known already or not: both look the same to whoever sends it. When it is known, a task opens in
the review list, which the sender does not see; so it does when every strict trait is somebody else's.
"""

from collections.abc import Mapping
from typing import Any, Final

import asyncpg

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import Class
from liaison.auth.access.standing import Standing
from liaison.auth.access.traits import stated_name, strict_traits, traits_of
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.model import dump, read
from liaison.fhir.model.check_digits import INS_SYSTEMS
from liaison.fhir.store import identity as tokens
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Labels, Tree
from liaison.fhir.store.ids import Ids, new_resource
from liaison.fhir.vault import Vault

RELIABILITY: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"
STATUS: Final = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identity-status"
_TASK: Final = kind_of("Task")
_PATIENT: Final = kind_of("Patient")
CHECKED: Final = frozenset({"QUAL", "VALI", "RECUP"})
"""Statuses that say of the strict traits where they were read: on a document, or in the national base (RNIV)."""
_OLDER: Final = "v2-0445"
"""In the system of a status: the generation of FR Core in which VALI with an INS is what is QUAL now."""
_COMMENTS: Final = frozenset({"HOMA", "DOUT", "DOUB", "FICT"})
UNCHECKABLE: Final = frozenset({"DOUT", "FICT"})
"""Comments with which an identity is provisional, whatever was seen: RNIV has neither validated nor retrieved."""
INS_ARC: Final = "urn:oid:1.2.250.1.213.1.4."
_BILLING: Final = ("http://terminology.hl7.org/CodeSystem/v2-0203", "NH")


class AlreadyKnown(Unprocessable):
    """The identity cell was about to record a matricule that another record has: someone was faster."""


def matricules(tree: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(system, value) of the INS that a Patient carries. A billing number (NSS) with the same system is none."""
    return [
        (one["system"], one["value"])
        for one in tree.get("identifier") or ()
        if one.get("system") in INS_SYSTEMS and isinstance(one.get("value"), str) and not _is_billing(one)
    ]


def status_of(tree: Mapping[str, Any]) -> str:
    """PROV, VALI, RECUP or QUAL; '' when not said. In the older generation of FR Core, VALI with an INS is QUAL."""
    for part in _reliability_of(tree):
        coding = part.get("valueCoding") or {}
        if part.get("url") == "identityStatus":
            code = str(coding.get("code", ""))
            older = _OLDER in str(coding.get("system", ""))
            return "QUAL" if older and code == "VALI" and matricules(tree) else code
    return ""


def is_questioned(tree: Mapping[str, Any]) -> bool:
    """Whether the identity is said to be a homonym's, doubtful, a duplicate or fictitious: it is not qualified then."""
    return bool(comments_of(tree))


def comments_of(tree: Mapping[str, Any]) -> set[str]:
    """What is said against the identity: HOMA, DOUT, DOUB, FICT."""
    return {_comment_of(part) for part in _reliability_of(tree)} & _COMMENTS


def _comment_of(part: Mapping[str, Any]) -> str:
    return str((part.get("valueCoding") or {}).get("code"))


def _reliability_of(tree: Mapping[str, Any]) -> list[dict[str, Any]]:
    stated = [one for one in tree.get("extension") or () if one.get("url") == RELIABILITY]
    return [part for one in stated for part in one.get("extension") or ()]


def _is_billing(identifier: dict[str, Any]) -> bool:
    codings = (identifier.get("type") or {}).get("coding") or ()
    return any((coding.get("system"), coding.get("code")) == _BILLING for coding in codings)


async def keep_unique(
    connection: asyncpg.Connection, vault: Vault, ids: Ids, who: Standing, changes: list[Change]
) -> None:
    """Takes the matricule off what an ordinary caller creates; refuses that an update adds one.

    Within the locks of the identifiers written, which the store takes first: two equal ones never pass each other.
    """
    here = {change.key.patient for change in changes}
    for change in [one for one in changes if one.type_ == "Patient" and one.tree is not None]:
        assert change.tree is not None
        stated = matricules(change.tree)
        if who.internal is not None:
            if who.internal.name == "identity" and await _known(connection, vault, change.tree, here):
                raise AlreadyKnown("This INS has a record.")
            continue
        _check_merged(change.tree, change.before or {})
        _check_doubt(change.tree, change.before or {})
        if change.interaction == "update":
            _check_change(change.tree, change.before or {})
            continue
        if not stated and status_of(change.tree) == "QUAL":
            raise Unprocessable("A qualified identity has its INS: Patient/$register checks it.", "Patient.extension")
        if await _known(connection, vault, change.tree, here, traits=True):
            changes.append(_duplicate(ids, change))
        if stated:
            change.tree = provisional(change.tree)
            change.body = dump(change.tree)


def _check_merged(tree: Tree, before: Tree) -> None:
    """Whoever is merged into another is nobody's any more: `$merge` alone says so, which compares the two identities, asks for
    both records, and tells the review list."""
    if _merges(tree) != _merges(before):
        raise Unprocessable(
            "That two records are of one person is written by Patient/$merge, and undone by Patient/[id]/$unmerge.",
            "Patient.link",
        )


def _check_doubt(tree: Tree, before: Tree) -> None:
    """A doubtful identity is said to be checked by nobody. What a record had before, it may keep."""
    doubt, status = comments_of(tree) & UNCHECKABLE, status_of(tree)
    if doubt and status in CHECKED and (status != status_of(before) or doubt - comments_of(before)):
        raise Unprocessable(
            "A doubtful or fictitious identity (DOUT, FICT) is provisional: give it the status PROV, without its INS.",
            "Patient.extension",
        )


def _merges(tree: Mapping[str, Any]) -> list[Any]:
    return [link for link in tree.get("link") or () if link.get("type") in ("replaced-by", "replaces")]


def _check_change(tree: Tree, before: Tree) -> None:
    """An update states no more of an identity than was checked. What a record had before, it may keep."""
    stated, had, status, was = set(matricules(tree)), set(matricules(before)), status_of(tree), status_of(before)
    checked = was in CHECKED or bool(had)
    if checked and (status != "PROV" or stated) and strict_traits(tree) != strict_traits(before):
        raise Unprocessable(
            "The identity was checked: its strict traits (birth name, given names, birth date, sex, birthplace) stay as they are,"
            " with the use and dates of that name, the list of birth given names, and the town and country of birth."
            " To correct them, give it the status PROV, without its INS; Patient/[id]/$identify then records what is checked.",
            "Patient",
        )
    if stated - had:
        raise Unprocessable(
            "An INS is recorded by Patient/$register or Patient/[id]/$identify, which check it.", "Patient.identifier"
        )
    if status == "QUAL" and (was != "QUAL" or had - stated):
        raise Unprocessable(
            "A qualified identity has its INS, and is recorded by Patient/[id]/$identify.", "Patient.extension"
        )
    if stated and status != "QUAL" and status != was:
        raise Unprocessable("Only a qualified identity carries its INS.", "Patient.identifier")


async def _known(
    connection: asyncpg.Connection, vault: Vault, tree: Tree, besides: set[int], *, traits: bool = False
) -> bool:
    """Whether a record besides these has one of its INS as its matricule: not as the number that somebody's care is billed on,
    which may be a parent's and whose token is the same. With `traits`: or is of someone alike in every strict trait, and
    has no other INS. A record that was merged into another is nobody's any more."""
    stated, mine = set(matricules(tree)), traits_of(tree)
    wanted = [(tokens.IDENTIFIER, tokens.identifier_token(vault, *one)) for one in stated]
    if traits and mine.complete:
        wanted.append((tokens.TRAITS, tokens.traits_token(vault, *stated_name(tree), mine.birth_date)))
    if not wanted:
        return False
    records = await connection.fetch(
        f"select distinct {rows.COLUMNS}, null from identity_token t"  # our own words
        " join unnest($1::smallint[], $2::bytea[]) as k(space, token) on t.space = k.space and t.token = k.token"
        " join version v on v.patient = t.patient and v.kind = t.kind and v.res = t.res and v.superseded is null"
        " where t.kind = $3 and t.patient <> all($4::bigint[]) and not v.deleted",
        [space for space, _ in wanted],
        [token for _, token in wanted],
        _PATIENT,
        list(besides),
    )
    found = [rows.row_of(record) for record in records]
    keys = await vault.patient_keys(connection, {row.key.patient for row in found})
    others = [read(rows.open_(keys[row.key.patient], row)) for row in found if row.key.patient in keys]
    return any(
        stated & set(matricules(other))
        or (traits and mine.complete and traits_of(other) == mine and not (stated and matricules(other)))
        for other in others
        if not is_merged(other)
    )


def is_merged(tree: Mapping[str, Any]) -> bool:
    """Whether this record says that another took its place."""
    return any(link.get("type") == "replaced-by" for link in tree.get("link") or ())


def provisional(tree: Tree) -> Tree:
    """The same Patient without a matricule, its identity provisional."""
    return with_status(tree, "PROV")


def with_status(tree: Tree, status: str, *, settled: bool = False) -> Tree:
    """The same Patient with this status of identity. Only a qualified one carries its matricule. What is said against the identity
    stays (RNIV), unless a check has `settled` it."""
    given = tree.get("identifier") or []
    kept = [one for one in given if status == "QUAL" or one.get("system") not in INS_SYSTEMS or _is_billing(one)]
    rest = {name: value for name, value in tree.items() if name != "identifier"}
    others = [one for one in tree.get("extension") or () if one.get("url") != RELIABILITY]
    stated = reliability(status)
    if not settled:
        stated["extension"] += [part for part in _reliability_of(tree) if _comment_of(part) in _COMMENTS]
    rest["extension"] = [*others, stated]
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
