"""The exercices of a sign-in beside the roles of the directory: which of them has a place here, and why another has none.

A structure is known by the numbers that both sides hold: FINESS (of the site or the legal entity), SIRET or SIREN, and the
national identifier of structures, never by its name. What decides a role stays the profession (identity.attested): a
self-employed nurse's exercice often names no structure at all. So nothing is taken away here, and nothing left unsaid.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import asyncpg
import orjson

from liaison.auth.people.pro_sante_connect.identity import Exercice, Structure, attested
from liaison.auth.people.roles import HeldRole
from liaison.fhir.vault import NotAuthentic, PatientKey, context

_CONTEXT: Final = context("exercices of a sign-in elsewhere")


class Place(StrEnum):
    """What becomes of an exercice. HERE: a role in its very structure. ANYWHERE: it names no structure, and stands behind
    each role of its profession. NO_ROLE: the directory gives no such role, in that structure or at all. UNKNOWN: the
    directory has no such structure. UNREAD: we have no role for this profession."""

    HERE = "here"
    ANYWHERE = "anywhere"
    NO_ROLE = "no-role"
    UNKNOWN = "unknown"
    UNREAD = "unread"


class Placed(NamedTuple):
    exercice: Exercice
    structure: Structure
    place: Place


def numbers(exercices: Sequence[Exercice]) -> list[tuple[str, str]]:
    """(system, value) of every structure that is named, each once."""
    return list(
        dict.fromkeys(pair for one in exercices for structure in one.structures for pair in structure.identifiers)
    )


def placed(
    exercices: Sequence[Exercice], held: Sequence[HeldRole], known: Mapping[tuple[str, str], Collection[int]]
) -> list[Placed]:
    """Each exercice, once for each of its structures. `known`: by number of a structure, the organizations of the
    directory that it is, or that are parts of it."""
    return [
        Placed(one, structure, _place(one, structure, held, known))
        for one in exercices
        for structure in one.structures or (Structure(),)
    ]


def _place(
    one: Exercice,
    structure: Structure,
    held: Sequence[HeldRole],
    known: Mapping[tuple[str, str], Collection[int]],
) -> Place:
    if not one.roles:
        return Place.UNREAD
    backed = [role for role in held if attested(role, one.roles) and not attested(role, frozenset())]
    if not structure.identifiers:
        return Place.ANYWHERE if backed else Place.NO_ROLE
    found = {number for pair in structure.identifiers for number in known.get(pair, ())}
    if not found:
        return Place.UNKNOWN
    return Place.HERE if any(role.organization in found for role in backed) else Place.NO_ROLE


async def parts(connection: "asyncpg.Connection | asyncpg.Pool", organization: int) -> frozenset[int]:
    """The organization and everything that is part of it: a FINESS number is often the hospital's, a role the unit's."""
    rows = await connection.fetch(
        """
        with recursive whole as (
            select $1::bigint as organization
            union select p.organization from organization_part p join whole w on p.part_of = w.organization
        ) select organization from whole
        """,
        organization,
    )
    return frozenset(row["organization"] for row in rows)


def sealed(key: PatientKey, exercices: Sequence[Exercice]) -> bytes:
    """As a session keeps them."""
    stated = [
        [sorted(one.roles), one.profession, [[s.name, list(s.identifiers)] for s in one.structures]]
        for one in exercices
    ]
    return key.seal(_CONTEXT, orjson.dumps(stated))


def opened(key: PatientKey, kept: bytes | None) -> list[Exercice]:
    """[] for a session that kept none, or whose row is not what was sealed."""
    try:
        stated = orjson.loads(key.open(_CONTEXT, kept)) if kept else []
    except NotAuthentic:
        return []
    return [
        Exercice(frozenset(roles), profession, tuple(Structure(n, tuple(map(tuple, ids))) for n, ids in structures))
        for roles, profession, structures in stated
    ]
