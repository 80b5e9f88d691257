"""One journal entry as a FHIR R4 AuditEvent.

Profile: ANS TDE 2.0.0 tde-auditevent (subtype at most 1, period.start, at most 2 agents, each with who). Coding follows IHE
BALP 1.1.4 (type rest, subtype of the interaction, roles of the agents in it, entities patient, data, query, request id);
docs/implementation/journal.md says where the two cannot both be had. Who a person is stays a reference: no name enters the
journal. Software is named as it is registered when the journal is read (CSP rule 26d).
"""

import base64
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from liaison.auth.access import vocabulary
from liaison.auth.access.classes import bits
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import label_of
from liaison.auth.journal.act_entities import act_entities
from liaison.auth.journal.entry import Entry, Event, Item
from liaison.auth.journal.masked import request_of
from liaison.auth.journal.names import CLIENT_ID, ENTITY_ROLES, ENTITY_TYPES, JOURNAL_ENTITY, Names
from liaison.auth.journal.sealing import Record
from liaison.auth.journal.told import Told, actor, at_console, reason_of, told_of
from liaison.fhir.definitions import type_of
from liaison.fhir.store.contract import Tree

PROFILE: Final = "https://interop.esante.gouv.fr/ig/fhir/tde/StructureDefinition/tde-auditevent"
RULE: Final = f"{vocabulary.LOCAL}/rule"
RULES: Final = f"{vocabulary.LOCAL}/rules"
"""The table of rules that an installation has adopted, by the number of the decision: the numbers of rows are its."""
RELATION: Final = f"{vocabulary.LOCAL}/CodeSystem/relation"
ORGANIZATION: Final = f"{vocabulary.LOCAL}/StructureDefinition/agent-organization"
ACTS_FOR: Final = f"{vocabulary.LOCAL}/StructureDefinition/agent-acts-for"
ASSURANCE: Final = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/ihe-assuranceLevel"
FACTORS: Final = f"{vocabulary.LOCAL}/CodeSystem/factors"
"""Of a sign-in here: how many. Of one elsewhere, the system is the issuer, and the code its `acr`."""
EVENT: Final = f"{vocabulary.LOCAL}/CodeSystem/journal-event"
CONSOLE: Final = "Liaison, at the console of the server"
"""Who acted there is nobody to the journal: on whose word, where it was asked, is a detail of the act."""

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
TYPES: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTIONS: Final = "http://hl7.org/fhir/restful-interaction"
RESOURCE_TYPES: Final = "http://hl7.org/fhir/resource-types"
SOURCE_TYPES: Final = "http://terminology.hl7.org/CodeSystem/security-source-type"
BALP_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"


class Shape(NamedTuple):
    """How an event shows: type, subtype, and the action letter (C R U D E)."""

    type_: tuple[str, str, str]
    subtype: tuple[str, str, str]
    action: str


_REST: Final = (TYPES, "rest", "RESTful Operation")


def _rest(code: str, action: str) -> Shape:
    return Shape(_REST, (INTERACTIONS, code, code), action)


def _own(type_: tuple[str, str, str], event: Event, action: str = "E") -> Shape:
    code = event.name.lower().replace("_", "-")
    return Shape(type_, (EVENT, code, code), action)


_ACTIVITY: Final = (DCM, "110100", "Application Activity")
_AUTHENTICATION: Final = (DCM, "110114", "User Authentication")
_ALERT: Final = (DCM, "110113", "Security Alert")

SHAPES: Final[Mapping[int, Shape]] = {
    Event.READ: _rest("read", "R"),
    Event.VREAD: _rest("vread", "R"),
    Event.HISTORY: _rest("history", "R"),
    Event.SEARCH: _rest("search", "E"),
    Event.OPERATION: _rest("operation", "E"),
    Event.BUNDLE: _rest("batch", "E"),
    Event.CREATE: _rest("create", "C"),
    Event.UPDATE: _rest("update", "U"),
    Event.DELETE: _rest("delete", "D"),
    Event.SIGN_IN: Shape(_AUTHENTICATION, (DCM, "110122", "Login"), "E"),
    Event.SIGN_OUT: Shape(_AUTHENTICATION, (DCM, "110123", "Logout"), "E"),
    Event.TOKEN: _own(_AUTHENTICATION, Event.TOKEN),
    Event.REFUSED_CALLS: _own(_ALERT, Event.REFUSED_CALLS),
    Event.RIGHTS: Shape(_ALERT, (DCM, "110136", "Security Roles Changed"), "U"),
    Event.EMERGENCY: Shape(_ALERT, (DCM, "110127", "Emergency Override Started"), "E"),
    Event.EXPORT: _own((DCM, "110106", "Export"), Event.EXPORT, "R"),
    Event.IMPORT: _own((DCM, "110107", "Import"), Event.IMPORT, "C"),
    Event.JOB: _own((DCM, "110110", "Patient Record"), Event.JOB),
    Event.JOURNAL_READ: _own((DCM, "110101", "Audit Log Used"), Event.JOURNAL_READ, "R"),
    Event.KEYS: _own(_ALERT, Event.KEYS, "U"),
    Event.CONFIGURATION: Shape(_ALERT, (DCM, "110131", "Software Configuration"), "U"),
    Event.BACKUP: _own(_ACTIVITY, Event.BACKUP),
    Event.RESTORE: _own(_ACTIVITY, Event.RESTORE),
    Event.HOLD: _own(_ALERT, Event.HOLD, "U"),
    Event.DESTRUCTION: _own(_ACTIVITY, Event.DESTRUCTION, "D"),
    Event.CHAIN_START: Shape(_ACTIVITY, (DCM, "110120", "Application Start"), "E"),
    Event.CHAIN_END: Shape(_ACTIVITY, (DCM, "110121", "Application Stop"), "E"),
    Event.LINK: _own(_ACTIVITY, Event.LINK),
}


_SOURCE: Final = (DCM, "110153", "Source Role ID")
_DESTINATION: Final = (DCM, "110152", "Destination Role ID")
_APPLICATION: Final = (DCM, "110150", "Application")
_RECIPIENT: Final = (PARTICIPATION, "IRCP", "information recipient")
_AUTHOR: Final = (PARTICIPATION, "AUT", "author (originator)")
_CUSTODIAN: Final = ("http://terminology.hl7.org/CodeSystem/provenance-participant-type", "custodian", "Custodian")


class Parts(NamedTuple):
    """What person, software and server are to an interaction, by BALP: in a read the data go to the software, a question
    and what is written come from it."""

    person: tuple[str, str, str]
    software: tuple[str, str, str]
    server: tuple[str, str, str]


_ASKS: Final = Parts(_RECIPIENT, _SOURCE, _DESTINATION)
_READS: Final = Parts(_RECIPIENT, _DESTINATION, _SOURCE)
_WRITES: Final = Parts(_AUTHOR, _SOURCE, _DESTINATION)
PARTS: Final[Mapping[int, Parts]] = {
    Event.READ: _READS,
    Event.VREAD: _READS,
    Event.CREATE: _WRITES,
    Event.UPDATE: _WRITES,
    Event.DELETE: Parts(_AUTHOR, _APPLICATION, _CUSTODIAN),
}
"""Of any other event: _ASKS."""


def _coding(triple: tuple[str, str, str]) -> Tree:
    system, code, display = triple
    return {"system": system, "code": code, "display": display}


def identifier(worker: int, sequence: int) -> str:
    """The id of an entry: known as soon as it is written, before it has a position."""
    return f"{worker:016x}{'-' if sequence > 0 else '.'}{abs(sequence)}"


_HOLDS: Final = 2**63


def place(id_: str) -> tuple[int, int] | None:
    """(worker, sequence) of an id, which the columns of the journal hold; None for what is no id of an entry."""
    worker, mark, sequence = id_[:16], id_[16:17], id_[17:36]
    try:
        number = int(sequence) if mark == "-" else -int(sequence)
        found = int(worker, 16), number
    except ValueError:
        return None
    held = mark in ("-", ".") and 0 < abs(number) < _HOLDS and found[0] < _HOLDS
    return found if held and identifier(*found) == id_ else None


ALTERED: Final[Mapping[str, Any]] = {"altered": True}
"""The detail of an entry that does not open: what its columns say may be what somebody else has written there."""


def audit_event(record: Record, entry: Entry, names: Names, *, table: int = 0, officer: bool = True) -> Tree:
    """`table`: the number of the table of rules in force then, 0 for the packaged one before any was adopted. `officer`
    False: for the person who reads their traces. Where the call came from is no business of theirs, nor what officers did."""
    at = record.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    shape = SHAPES[entry.event]
    tree: Tree = {
        "resourceType": "AuditEvent",
        "id": identifier(record.worker, record.sequence),
        "meta": {"versionId": "1", "lastUpdated": at, "profile": [PROFILE]},
        "type": _coding(shape.type_),
        "subtype": [_coding(shape.subtype)],
        "action": shape.action,
        "period": {"start": at, "end": at},
        "recorded": at,
        "outcome": str(entry.outcome),
    }
    if entry.outcome:
        told = (entry.detail or {}).get("issue") or (entry.detail or {}).get("check") or ""
        tree["outcomeDesc"] = f"{entry.status} {told}".strip()
    if entry.detail == ALTERED:
        tree["outcomeDesc"] = "This entry was altered after it was written: its content does not open."
    if entry.purpose:
        tree["purposeOfEvent"] = [{"coding": [_purpose(entry)]}]
    tree["agent"] = _agents(actor(entry), names, table, officer)
    tree["source"] = {
        "observer": {"identifier": {"value": names.origin}, "display": "Liaison"},
        "type": [{"system": SOURCE_TYPES, "code": "4", "display": "Application Server"}],
    }
    if entities := _entities(
        entry._replace(reason=reason_of(entry, officer=officer)), names, told_of(entry, officer=officer)
    ):
        tree["entity"] = entities
    return tree


# ---- agents -------------------------------------------------------------------------------------------------------

_PERSON_TYPES: Final = {"patient": "Patient", "guardian": "RelatedPerson", "caregiver": "RelatedPerson"}


def _agents(entry: Entry, names: Names, table: int, network: bool) -> list[Tree]:
    """The person, then the software; without a person the software, then this server, of an act that came from elsewhere.
    The first is the requestor."""
    parts = PARTS.get(entry.event, _ASKS)
    agents: list[Tree] = []
    if entry.person and entry.person != entry.client:
        agents.append(_person(entry, names, parts))
    if entry.client or not agents:
        agents.append(_software(entry, names, parts, requestor=not agents))
    first = agents[0]
    if extensions := _extensions(entry, names):
        first["extension"] = extensions
    if entry.role_code:
        first["role"] = [{"coding": [{"system": vocabulary.ROLE, "code": entry.role_code}]}]
    if rules := sorted({rule for item in entry.items for rule in item[3::2]}):
        adopted = [f"{RULES}/{table}"] if table else []
        first["policy"] = [*(f"{RULE}/{label_of(rule)}" for rule in rules), *adopted]
    if entry.purpose:
        first["purposeOfUse"] = [{"coding": [_purpose(entry)]}]
    if network and entry.address:  # of the software, as BALP has it: a person is no device
        agents[-1]["network"] = {"address": entry.address, "type": "2"}
    if len(agents) == 1 and entry.client:
        agents.append(_server(names, parts))
    return agents


def _extensions(entry: Entry, names: Names) -> list[Tree]:
    """The organisation; whom the person acts for; who vouched for them."""
    made: list[Tree] = []
    if entry.organization:
        organization = names.reference("Organization", 0, entry.organization)
        made.append({"url": ORGANIZATION, "valueReference": {"reference": organization}})
    if entry.acts_for:
        principal = names.reference("Practitioner", 0, entry.acts_for)
        made.append({"url": ACTS_FOR, "valueReference": {"reference": principal}})
    issuer, _, level = entry.proven.rpartition(" ")
    if level:
        coding = {"system": issuer if "/" in issuer else FACTORS, "code": level}
        made.append({"url": ASSURANCE, "valueCodeableConcept": {"coding": [coding]}})
    return made


def _purpose(entry: Entry) -> Tree:
    return {"system": vocabulary.ACT_REASON, "code": Purpose(entry.purpose).code}


def _software(entry: Entry, names: Names, parts: Parts, *, requestor: bool) -> Tree:
    agent: Tree = {"type": {"coding": [_coding(parts.software)]}, "requestor": requestor}
    known = names.software.get(entry.client)
    if known is None:  # Liaison itself, or a client whose registration is not in this base.
        value = f"client {entry.client:x}" if entry.client else names.origin
        typed = {"display": CONSOLE} if at_console(entry) else {}
        return {**agent, "who": {"identifier": {"value": value}, **typed}}
    who = {"identifier": {"system": CLIENT_ID, "value": known.client_id}, "display": known.name}
    return {**agent, "who": who, "altId": known.client_id, "name": known.name}


def _server(names: Names, parts: Parts) -> Tree:
    return {
        "type": {"coding": [_coding(parts.server)]},
        "who": {"identifier": {"value": names.origin}, "display": "Liaison"},
        "requestor": False,
        "network": {"address": names.host, "type": "1"},
    }


def _person(entry: Entry, names: Names, parts: Parts) -> Tree:
    type_ = _PERSON_TYPES.get(entry.role_code, "Practitioner")
    who: Tree
    if type_ == "Practitioner":
        who = {"reference": names.reference(type_, 0, entry.person)}
    elif type_ == "Patient" and names.patients.get(entry.patient) == entry.person:
        who = {"reference": names.patient(entry.patient)}
    else:  # Which record a relative belongs to is not in the entry.
        who = {"type": type_, "identifier": {"value": f"{entry.person & (2**64 - 1):016x}"}}
    return {"type": {"coding": [_coding(parts.person)]}, "who": who, "requestor": True}


# ---- entities -----------------------------------------------------------------------------------------------------


def _entities(entry: Entry, names: Names, told: Told | None) -> list[Tree]:
    found: list[Tree] = []
    if entry.patient:
        what = names.patient(entry.patient)
        found.append(
            {
                "what": {"reference": what} if what else {"display": "effacé"},
                "type": {"system": ENTITY_TYPES, "code": "1", "display": "Person"},
                "role": {"system": ENTITY_ROLES, "code": "1", "display": "Patient"},
            }
        )
    came = entry.event not in PARTS
    found += [_data(item, entry.patient, names, _classes(entry, item), found=came) for item in entry.items]
    type_, id_ = entry.requested
    if entry.outcome and type_ and id_:
        found.append({**_system_object("4", "Domain Resource"), "what": {"reference": f"{type_}/{id_}"}})
    found += _query(entry)
    found += act_entities(told, entry.patient, names) if told else []
    if entry.reason:
        found.append(
            {
                **_system_object("13", "Security Resource"),
                "name": "motif",
                "detail": [{"type": "reason", "valueString": entry.reason}],
            }
        )
    if entry.request:
        found.append(
            {
                "what": {"identifier": {"value": entry.request}},
                "type": {"system": BALP_ENTITY, "code": "XrequestId", "display": "X-Request-Id"},
                **({} if entry.took is None else {"detail": [{"type": "latency-ms", "valueString": str(entry.took)}]}),
            }
        )
    return found


def _system_object(role: str, display: str) -> Tree:
    return {
        "type": {"system": ENTITY_TYPES, "code": "2", "display": "System Object"},
        "role": {"system": ENTITY_ROLES, "code": role, "display": display},
    }


def _classes(entry: Entry, item: Item) -> list[Tree]:
    """What the write made of the classes of an item, where it changed them."""
    changed = (
        (before, after) for *which, before, after in (entry.detail or {}).get("classes", ()) if which == [*item[:3]]
    )
    return [
        {"type": f"{vocabulary.DATA_CLASS}|{when}", "valueString": " ".join(one.name or "" for one in bits(classes))}
        for pair in changed
        for when, classes in zip(("before", "after"), pair, strict=True)
    ]


def _data(item: Item, patient: int, names: Names, classes: list[Tree], *, found: bool) -> Tree:
    """`found`: it came of a question. BALP leaves answers out, and of a question knows one System Object, the query."""
    kind, res, version = item[:3]
    type_ = type_of(kind)
    if type_ == "AuditEvent":
        what = f"AuditEvent/{identifier(res, version)}"
    else:
        what = f"{names.reference(type_, patient, res)}/_history/{version}"
    detail = [
        {"type": f"{RELATION}|{Relation(relation).name.lower()}", "valueString": label_of(rule)}
        for rule, relation in zip(item[3::2], item[4::2], strict=True)
    ]
    detail += classes
    entity = {**_system_object("4", "Domain Resource"), "what": {"reference": what}}
    if found:
        entity["type"] = {"system": RESOURCE_TYPES, "code": type_, "display": type_}
    return {**entity, "detail": detail} if detail else entity


def _query(entry: Entry) -> list[Tree]:
    """What was asked, and what the answer was: apart, since BALP's query has no detail."""
    request = request_of(entry)
    if not request:
        return []
    query = {**_system_object("24", "Query"), "query": base64.b64encode(request.encode()).decode()}
    counts: dict[str, Any] = {"total": entry.total, "returned": entry.returned, "sha-256": entry.digest or None}
    detail = [{"type": name, "valueString": str(value)} for name, value in counts.items() if value is not None]
    result = {"type": {"system": JOURNAL_ENTITY, "code": "result", "display": "Result of the query"}, "detail": detail}
    return [query, result] if detail else [query]
