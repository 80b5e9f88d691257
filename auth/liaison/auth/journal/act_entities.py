"""An act and those concerned as entities of an AuditEvent (R4 AuditEvent.entity; DICOM PS3.15 A.5, roles 11 to 13).

The act is an entity of its own type, `journal-entity|act`: `name` its code (`entity-name` finds it), `description` the same in words,
`detail` what was decided, by whom and how it came out. Subtype stays that of DICOM, which other readers of traces know.
"""

from typing import Final

from liaison.auth.access import vocabulary
from liaison.auth.journal.names import CLIENT_ID, ENTITY_ROLES, ENTITY_TYPES, JOURNAL_ENTITY, Names
from liaison.auth.journal.told import Told
from liaison.fhir.definitions import type_of
from liaison.fhir.store.contract import Tree

ACCOUNT: Final = f"{vocabulary.LOCAL}/sid/account"
TELEPHONE: Final = f"{vocabulary.LOCAL}/sid/telephone"

_USER: Final = {"system": ENTITY_ROLES, "code": "11", "display": "Security User Entity"}
_GROUP: Final = {"system": ENTITY_ROLES, "code": "12", "display": "Security User Group"}
_THING: Final = {"system": ENTITY_ROLES, "code": "13", "display": "Security Resource"}
_PERSON: Final = {"system": ENTITY_TYPES, "code": "1", "display": "Person"}
_SYSTEM: Final = {"system": ENTITY_TYPES, "code": "2", "display": "System Object"}
_ORGANIZATION: Final = {"system": ENTITY_TYPES, "code": "3", "display": "Organization"}


def act_entities(told: Told, patient: int, names: Names) -> list[Tree]:
    """`patient`: the record of the entry. Of no other record a person is named, by no more than the number of an account."""
    act: Tree = {
        "type": {"system": JOURNAL_ENTITY, "code": "act", "display": "Act"},
        "name": told.code,
        "description": told.said,
    }
    if told.detail:
        act["detail"] = [{"type": name, "valueString": value} for name, value in told.detail]
    known = {one.client_id: one.name for one in names.software.values()}
    registered = (names.software[one].client_id for one in told.registrations if one in names.software)
    return [
        act,
        *(_account(one, patient, names) for one in told.accounts),
        *(_software(one, known.get(one, "")) for one in dict.fromkeys((*told.clients, *registered))),
        *(_object(TELEPHONE, one, _THING) for one in told.phones),
        *(_place(names.reference("Organization", 0, one)) for one in (told.organization,) if one),
        *(_directory(one) for one in told.references),
    ]


def whose(account: int, patient: int, names: Names) -> str:
    """The reference of the person whose account it is: of the directory, or of this record; '' for anyone else."""
    key = names.accounts.get(account)
    return (
        ""
        if key is None or key.patient not in (0, patient)
        else names.reference(type_of(key.kind), key.patient, key.res)
    )


def _account(account: int, patient: int, names: Names) -> Tree:
    person = whose(account, patient, names)
    identifier = {"system": ACCOUNT, "value": str(account)}
    what: Tree = {"identifier": identifier} | ({"reference": person} if person else {})
    return {"what": what, "type": _PERSON, "role": _USER}


def _software(client_id: str, name: str) -> Tree:
    entity = _object(CLIENT_ID, client_id, _USER)
    if name:
        entity["what"]["display"] = name
    return entity


def _object(system: str, value: str, role: Tree) -> Tree:
    return {"what": {"identifier": {"system": system, "value": value}}, "type": _SYSTEM, "role": role}


def _place(reference: str) -> Tree:
    return {"what": {"reference": reference}, "type": _ORGANIZATION, "role": _GROUP}


def _directory(reference: str) -> Tree:
    return _place(reference) if reference.startswith("Organization/") else {
        "what": {"reference": reference}, "type": _PERSON, "role": _USER,
    }  # fmt: skip
