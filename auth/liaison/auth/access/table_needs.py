"""What the service cannot do without: a table that takes it from everyone would lock people out, and is not adopted.

The list is the least that the law and the service rest on; what a table gives beyond it is for those who decide.
"""

from collections.abc import Callable, Iterator
from typing import Final

from liaison.auth.access.classes import EVERYTHING, Class, bits
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.roles import ROLES, confirms
from liaison.auth.access.second_wall import NEVER, OWN_ONLY
from liaison.auth.access.table import Table
from liaison.fhir.errors import FhirError
from liaison.fhir.search import match


def lacking(table: Table) -> list[str]:
    """In French, what nobody could do any more by this table."""
    return [said for said, holds in _NEEDS if not holds(table)]


def never_leaving(table: Table) -> list[str]:
    """In French, what it gives a role of others' entries that the second wall lets out to nobody of that role, whatever the
    table says: each reading would be refused, and reported as an incident."""
    found = []
    for line in table.lines:
        given = {"consent": line.within, "same": EVERYTHING & ~line.limit, "classes": line.read}[line.extent]
        for role in sorted(line.roles):
            if line.of == "own" and ROLES[role].category != "person":  # for whom `of` says nothing (access.persons)
                continue
            others = OWN_ONLY.get(role, 0) if line.extent == "same" else 0  # of others, by those whom they act for
            if never := given & (NEVER.get(role, 0) | others):
                names = ", ".join(one.name or "" for one in bits(Class(never)))
                found.append(f"{role} ne lit jamais {names}, quelle que soit la table")
    return list(dict.fromkeys(found))


def misread_types(table: Table) -> list[str]:
    """In French, each type of a row whose search is not one: nothing could be compared with it."""
    found = []
    for row in table.rows:
        for one in row.types:
            type_, _, query = one.partition("?")
            try:
                match(type_, {"resourceType": type_}, query)
            except FhirError as error:
                found.append(f"règle {row.label} : « {one} » n'est pas une recherche ({error})")
    return found


def _given(
    table: Table, role: str, relation: Relation, purpose: Purpose | None = None
) -> Iterator[tuple[Class, Class]]:
    """What the role reads and writes by this relation, of anyone's entries."""
    for line in table.for_role(role):
        usual = line.purpose or ROLES[role].purpose
        if relation in line.relations and line.of == "all" and purpose in (None, usual):
            yield line.read, line.write


def _reads(table: Table, role: str, relation: Relation, class_: Class, purpose: Purpose | None = None) -> bool:
    return any(read & class_ for read, _ in _given(table, role, relation, purpose))


def _writes(table: Table, role: str, relation: Relation, class_: Class) -> bool:
    return any(write & class_ for _, write in _given(table, role, relation))


def _may_write_type(table: Table, role: str, type_: str) -> bool:
    types = table.types_for(role)
    return not types or type_ in types


def _confirmed(table: Table) -> bool:
    return any(
        confirms(role)
        and _reads(table, role, Relation.TEAM, Class.CONSENT)
        and _writes(table, role, Relation.TEAM, Class.CONSENT)
        and _may_write_type(table, role, "Consent")
        for role in ROLES
    )


def _shared(table: Table) -> bool:
    return any(
        _reads(table, role, Relation.TEAM, Class.TEAM)
        and _writes(table, role, Relation.TEAM, Class.TEAM)
        and _may_write_type(table, role, "CareTeam")
        for role in ROLES
    )


def _person(class_: Class, *, writes: bool = False) -> Callable[[Table], bool]:
    asked = _writes if writes else _reads
    return lambda table: asked(table, "patient", Relation.SELF, class_)


_NEEDS: Final[tuple[tuple[str, Callable[[Table], bool]], ...]] = (
    (
        "personne ne pourrait confirmer une opposition : aucun professionnel de l'équipe ne lit et n'écrit CONSENT",
        _confirmed,
    ),
    (
        "personne ne pourrait accueillir : aucun de ceux qui ouvrent un dossier ne lit ADM dans l'équipe",
        lambda table: any(_reads(table, one.code, Relation.TEAM, Class.ADM) for one in ROLES.values() if one.registers),
    ),
    ("personne ne pourrait composer une équipe : aucun de ses membres ne lit et n'écrit TEAM", _shared),
    (
        "le délégué à la protection des données ne lirait plus AUD : ni les revues, ni les traces (CSP R.1111-43)",
        lambda table: _reads(table, "dpo", Relation.OFFICE, Class.AUD),
    ),
    ("la personne ne lirait plus son dossier : ADM (CSP L.1111-7)", _person(Class.ADM)),
    ("la personne ne lirait plus qui a ouvert son dossier : AUD (CSP L.1111-19)", _person(Class.AUD)),
    ("la personne ne pourrait plus consentir ni s'opposer : CONSENT (CSP L.1110-4)", _person(Class.CONSENT, writes=True)),
    ("la personne ne pourrait plus masquer : MASKED (CSP R.1111-49)", _person(Class.MASKED, writes=True)),
    (
        "l'accès d'urgence n'ouvrirait plus rien : aucun de ceux à qui il est offert n'y lit ADM (CSP L.1111-17)",
        lambda table: any(
            _reads(table, one.code, Relation.EMERGENCY, Class.ADM, Purpose.ETREAT)
            for one in ROLES.values()
            if one.emergency
        ),
    ),
)  # fmt: skip
