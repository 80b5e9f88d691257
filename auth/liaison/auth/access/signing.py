"""Who signs what a person of the record writes: the patient, who represents them, or someone close to them, and nobody else.

A note in the shared notebook is read by the aide who comes in the evening: under a doctor's name it would be an order. So
what such a person writes names them as its author, or nobody (they are its author all the same: access.labels), and what
somebody else wrote is not changed by them. A Consent is the exception: it keeps those whom it named, since it is theirs to
withdraw whoever recorded it (consent_writing).

Staff and software may name another author: a secretary types what the doctor dictated, a nurse records the act of a
colleague, a record is taken over from other software. R4 separates who did it (performer, sender) from who recorded it, and
the journal keeps the latter. The table binds them elsewhere: an aide writes what is her own alone (row 15), and what a
trainee writes waits for the countersignature whoever it names (row 9; access.labels). One thing nobody writes for another: that
it was verified. A verifier in a Provenance is who writes it; that a trainee verified counts for nothing (pages.countersign).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import asyncpg

from liaison.auth.access.owners import authors
from liaison.auth.access.roles import ROLES
from liaison.auth.access.standing import Owners, Standing
from liaison.auth.access.writing import Refusal
from liaison.fhir.definitions import kind_of
from liaison.fhir.errors import Unprocessable
from liaison.fhir.model import read
from liaison.fhir.model.references import unversioned
from liaison.fhir.store import rows
from liaison.fhir.store.contract import Change, Key, Labels, Tree
from liaison.fhir.store.identity import normalise
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey

VERIFIER: Final = {"system": "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "code": "verifier"}


def own_reference(ids: Ids, who: Standing, patient: int) -> str:
    """How a person of the record is named in it; '' for anyone else."""
    role = ROLES.get(who.role_code)
    if role is None or role.category != "person":
        return ""
    type_ = "Patient" if role.code == "patient" else "RelatedPerson"
    return f"{type_}/{ids.encode(Key(patient, kind_of(type_), who.practitioner))}"


async def check(
    connection: asyncpg.Connection,
    ids: Ids,
    keys: Mapping[int, PatientKey],
    who: Standing,
    changes: Sequence[Change],
) -> None:
    """Raises Unprocessable for what a person of the record signs with another name, or somebody verifies in another's,
    Refusal for what another wrote."""
    for change in changes:
        if change.type_ == "Provenance" and who.practitioner:
            _check_verifier(ids, who, change)
        me = own_reference(ids, who, change.key.patient)
        if not me or change.tree is None:
            continue
        before = change.before or {}
        consent = change.type_ == "Consent"
        key = keys.get(change.key.patient)
        row = None if consent else change.before_row
        if row is not None and key is not None and row.author != Owners.of(key, Labels(0, me)).author:
            raise Refusal(
                "Somebody else wrote it: you change what you wrote yourself. Answer it by an entry of your own."
            )
        known = list(authors(before)) if consent and before else []
        for path, named in [one for one in authors(change.tree) if one not in known]:
            if unversioned(str(named.get("reference", ""))) != me or "identifier" in named:
                raise Unprocessable(
                    f"You sign what you write: this names you ({me}), by a literal reference, or nobody.",
                    f"{change.type_}.{path}",
                )
            shown = named.get("display")
            if shown is not None and normalise(str(shown)) not in await _names(connection, ids, key, me):
                raise Unprocessable(
                    "You sign with your own name: the display is a name that the record has of you, or is left out.",
                    f"{change.type_}.{path}.display",
                )


def _check_verifier(ids: Ids, who: Standing, change: Change) -> None:
    mine = {f"{type_}/{ids.encode(Key(0, kind_of(type_), res))}"
            for type_, res in (("Practitioner", who.practitioner), ("PractitionerRole", who.role)) if res}  # fmt: skip
    known = list(verifiers(change.before or {}))
    if any(one not in mine for one in verifiers(change.tree or {}) if one not in known):
        raise Unprocessable(
            "You verify in your own name: the verifier (agent.who) is you, by a literal reference to your Practitioner or"
            " PractitionerRole.",
            "Provenance.agent.who",
        )


def verifiers(provenance: Tree) -> Iterator[str]:
    """Whom a Provenance names as having verified its targets; '' for each who is not named by a literal reference."""
    for agent in provenance.get("agent") or ():
        if any(one.get("code") == VERIFIER["code"] for one in (agent.get("type") or {}).get("coding") or ()):
            yield unversioned(str((agent.get("who") or {}).get("reference", "")))


async def _names(connection: asyncpg.Connection, ids: Ids, key: PatientKey | None, me: str) -> set[str]:
    """As they are compared: each name that the record has of this person, alone or with what they are to the patient."""
    found = ids.decode(*me.split("/"))
    if key is None or found is None:
        return set()
    record = await connection.fetchrow(
        f"select {rows.COLUMNS}, null from version v"  # our own words
        " where v.patient = $1 and v.kind = $2 and v.res = $3 and v.superseded is null and not v.deleted",
        *found,
    )
    tree: Tree = read(rows.open_(key, rows.row_of(record))) if record is not None else {}
    called = {normalise(one) for one in _called(tree)} - {""}
    return called | {one + normalise(link) for one in called for link in _links(tree)}


def _called(tree: Tree) -> Iterator[str]:
    for name in tree.get("name") or ():
        given, family = [str(one) for one in name.get("given") or ()], str(name.get("family", ""))
        yield str(name.get("text", ""))
        for first in (given, given[:1]):
            yield " ".join([*first, family])
            yield " ".join([family, *first])


def _links(tree: Tree) -> Iterator[str]:
    for concept in tree.get("relationship") or ():
        yield str(concept.get("text", ""))
        yield from (str(coding.get("display", "")) for coding in concept.get("coding") or ())
