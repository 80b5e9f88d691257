"""Completing the labels of what is written, with what only the database and the caller know.

* who wrote it, when the resource does not say: the caller; and in which structure; a trainee, whatever it says;
* whoever was its author remains so, unless they say otherwise themselves;
* a role named as author or addressee stands for its person: 'own' means the person's own, in whatever role;
* what a psychiatric service writes is PSY;
* what the patient has masked stays masked in its new version, and so is what tells of it;
* what names something that not everyone may know of is marked (access.naming).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import asyncpg

from liaison.auth.access import masking, naming, signing
from liaison.auth.access.classes import Class, union
from liaison.auth.access.classify import rules
from liaison.auth.access.contents import BINARY
from liaison.auth.access.standing import Owners, Standing
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import NAMES_HIDDEN, Change, Key, Labels
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey, Vault

_CLINICAL: Final = union(("CLIN", "VITAL"))
_COUNTERSIGNED: Final = frozenset({"trainee"})
"""Whose entries wait for another's signature (row 9): they are the author of what they write, whomever it names."""
_ROLE, _PRACTITIONER = "PractitionerRole", "Practitioner"


async def complete(
    connection: asyncpg.Connection, vault: Vault, signed: Iterable[tuple[Standing, Sequence[Change]]]
) -> None:
    """Fills `labels` of each change in place. `signed` says who makes which."""
    ids = Ids(vault.id_key)
    written: list[Change] = []
    signed = list(signed)
    older = {one.key.patient for _, some in signed for one in some if one.before_row is not None and one.key.patient}
    keys = await vault.patient_keys(connection, older) if older else {}
    for who, changes in signed:
        mine = [change for change in changes if change.tree is not None and change.key.patient]
        for change in mine:
            if change.interaction == "create":
                _sign(ids, who, change)
            elif not _may_pass_on(ids, keys, who, change):  # whoever was its author remains so
                change.labels = replace(change.labels, author="")
        written += mine
    roles, services = _named(ids, written)
    people, psychiatric = await _known(connection, roles, services)
    changed = {change.key: change for change in written}
    refers = {change.key: naming.named(ids, change.key, change.tree, change.body) for change in written}
    await naming.hold(connection, changed, refers)
    masked = await masking.in_force(connection, vault, {change.key.patient for change in written})
    hidden = set(masked.values())
    for change in written:
        labels = change.labels
        classes = Class(labels.classes)
        if change.type_ == BINARY and change.before_row is not None:
            # What holds it is not at hand: it opens by no new version of its own (access.reclassifying).
            classes |= Class(keys[change.key.patient].unpermute(change.before_row.classes) & ~NAMES_HIDDEN)
        service = _decoded(ids, labels.service, "Organization")
        if service in psychiatric and classes & _CLINICAL and change.type_ not in rules().fixed:
            classes |= Class.PSY
        if change.tree is not None and (change.key in hidden or masking.tells(change.tree, masked)):
            classes |= Class.MASKED
        change.labels = replace(
            labels,
            classes=int(classes),
            author=_person(ids, people, labels.author),
            addressee=_person(ids, people, labels.addressee),
        )
    await naming.mark(connection, vault, ids, changed, refers, hidden)


def _sign(ids: Ids, who: Standing, change: Change) -> None:
    """The caller signs what names no author; their structure is that of what they wrote themselves."""
    labels = change.labels
    own = _own(ids, who, change.key.patient)
    author = own if who.role_code in _COUNTERSIGNED else labels.author or own
    role = f"{_ROLE}/{ids.encode(Key(0, kind_of(_ROLE), who.role))}" if who.role else own
    service = labels.service
    # A system client's structure is the source of what it sends; a person's, of what they sign.
    if not service and who.organization and (author in (own, role) or not who.practitioner):
        service = f"Organization/{ids.encode(Key(0, kind_of('Organization'), who.organization))}"
    change.labels = replace(labels, author=author, service=service)


def _own(ids: Ids, who: Standing, patient: int) -> str:
    """How the caller is named as an author; '' for software of no person."""
    if own := signing.own_reference(ids, who, patient):
        return own
    return f"{_PRACTITIONER}/{ids.encode(Key(0, kind_of(_PRACTITIONER), who.practitioner))}" if who.practitioner else ""


def _may_pass_on(ids: Ids, keys: Mapping[int, PatientKey], who: Standing, change: Change) -> bool:
    """Whether a new version of theirs may name another author: what is "own", and seen when it is masked, is not taken over by
    whoever may amend it. The author may, but for a trainee, and so may work of ours that brings what others kept."""
    if who.internal is not None or change.before_row is None:
        return True
    key = keys.get(change.key.patient)
    own = Owners.of(key, Labels(0, _own(ids, who, change.key.patient))).author if key is not None else 0
    return own != 0 and own == change.before_row.author and who.role_code not in _COUNTERSIGNED


def _named(ids: Ids, changes: Iterable[Change]) -> tuple[set[int], set[int]]:
    roles, services = set(), set()
    for change in changes:
        labels = change.labels
        roles |= {_decoded(ids, name, _ROLE) for name in (labels.author, labels.addressee)}
        services.add(_decoded(ids, labels.service, "Organization"))
    return roles - {0}, services - {0}


def _decoded(ids: Ids, reference: str, type_: str) -> int:
    if not reference.startswith(f"{type_}/"):
        return 0
    key = ids.decode(type_, reference.removeprefix(f"{type_}/"))
    return key.res if key else 0


def _person(ids: Ids, people: dict[int, int], reference: str) -> str:
    practitioner = people.get(_decoded(ids, reference, _ROLE), 0)
    return f"{_PRACTITIONER}/{ids.encode(Key(0, kind_of(_PRACTITIONER), practitioner))}" if practitioner else reference


async def _known(
    connection: asyncpg.Connection, roles: set[int], services: set[int]
) -> tuple[dict[int, int], frozenset[int]]:
    """Practitioners by role, and which of the services are psychiatric; one round trip, or none."""
    if not roles and not services:
        return {}, frozenset()
    rows = await connection.fetch(
        "select role, practitioner from held_role where role = any($1::bigint[])"
        " union all select organization, 0 from organization_part where organization = any($2::bigint[]) and psychiatric",
        sorted(roles),
        sorted(services),
    )
    people = {role: practitioner for role, practitioner in rows if practitioner}
    return people, frozenset(organization for organization, practitioner in rows if not practitioner)
