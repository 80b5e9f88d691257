"""Internal principals: background work with a name, a purpose and the types it touches. One closed table.

They see every patient, but only the types named here, in sessions that `services` alone opens and that last minutes.
What they read and write is journaled under their name like anyone's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from secrets import randbits
from types import MappingProxyType
from typing import Final

import asyncpg

from liaison.auth.access.purposes import Purpose
from liaison.auth.caller import Caller
from liaison.fhir.definitions import RESOURCE_TYPES, kind_of
from liaison.fhir.store.contract import Bound, Interaction

PREFIX: Final = "internal:"


@dataclass(frozen=True, slots=True)
class Internal:
    """`purpose` of the law, why it exists, and what it may read and write. `named`: the types of which a session reaches only what
    it was opened for, in one record; it changes them, and makes or removes nothing (docs/decisions/0008-who-ends-a-plan.md)."""

    name: str
    purpose: Purpose
    why: str
    reads: frozenset[str]
    writes: frozenset[str]
    named: frozenset[str] = frozenset()

    @property
    def role_code(self) -> str:
        return f"{PREFIX}{self.name}"


_ALL_TYPES: Final = frozenset(RESOURCE_TYPES)
_NONE: Final[frozenset[str]] = frozenset()
_IDENTITY: Final = frozenset({"Patient", "CareTeam", "Consent", "Task", "ServiceRequest", "RelatedPerson"})

_DEFINITIONS: Final = frozenset(
    {"ActivityDefinition", "CodeSystem", "Library", "Measure", "PlanDefinition", "Questionnaire", "ValueSet"}
)

_ENDED: Final = frozenset(
    {"Appointment", "CommunicationRequest", "DeviceRequest", "Goal", "MedicationRequest", "RequestGroup", "ServiceRequest",
     "SupplyRequest", "Task"}
)  # fmt: skip

_TABLE: Final = (
    Internal("import", Purpose.TREAT, "loads records that another system kept, with `liaison import`", _ALL_TYPES, _ALL_TYPES),
    Internal("sandbox", Purpose.TREAT, "makes the demonstration territory; refused elsewhere", _ALL_TYPES, _ALL_TYPES),
    Internal(
        "identity",
        Purpose.COORD,
        "compares traits for $register and $join, which start from an identity and not from an id",
        _IDENTITY,
        _IDENTITY | {"Communication"},
    ),
    Internal(
        "protocols",
        Purpose.COORD,
        "dates the steps of plans, raises and escalates alerts",
        frozenset({"Patient", "CarePlan", "Task", "Goal", "Appointment", "CareTeam", "Communication", "Flag", "Observation",
                   "Practitioner", "PractitionerRole", "QuestionnaireResponse"}),
        frozenset({"Task", "Flag", "Communication", "Goal", "CarePlan"}),
    ),
    Internal(
        "deaths",
        Purpose.COORD,
        "ends the plans of somebody who has died: the plans of that record, and of the rest only what those plans name",
        _ENDED | {"CarePlan", "Patient"},
        _ENDED | {"CarePlan"},
        named=_ENDED,
    ),
    Internal(
        "visits",
        Purpose.COORD,
        "files a visit that an aide wrote without a network, within the permit that went with her tour",
        frozenset({"Appointment", "CareTeam", "DocumentReference", "Encounter", "Observation", "Patient", "Practitioner",
                   "PractitionerRole", "Provenance", "QuestionnaireResponse", "Task"}),
        frozenset({"DocumentReference", "Encounter", "Observation", "Provenance", "QuestionnaireResponse", "Task"}),
    ),
    Internal(
        "messages",
        Purpose.COORD,
        "carries alerts to those who read them, by the channels that they accepted, and convocations to the person, and notes what became of"
        " each message",
        frozenset({"Appointment", "Communication", "Organization", "Patient", "Practitioner", "PractitionerRole", "Task"}),
        frozenset({"Communication", "Task"}),
    ),
    Internal(
        "protection",
        Purpose.COORD,
        "files a report of suspected abuse, and hands it to the person of the service to whom it is addressed",
        frozenset({"Communication", "Patient"}),
        frozenset({"Communication"}),
    ),
    Internal(
        "measures",
        Purpose.HOPERAT,
        "counts people for the indicators of programmes; what it finds leaves as an aggregate only",
        frozenset({"CarePlan", "Observation", "Task"}),
        _NONE,
    ),
    Internal(
        "places",
        Purpose.COORD,
        "says of a session that it has a place again, when somebody on its list has given theirs up",
        frozenset({"Appointment", "Slot"}),
        frozenset({"Slot"}),
    ),
    Internal(
        "first-names",
        Purpose.COORD,
        "tells the patient educator of a session the first names of those on its list who agreed to it, and how many the others are",
        frozenset({"Appointment", "Patient"}),
        _NONE,
    ),
    Internal(
        "first-name-kept",
        Purpose.COORD,
        "takes back, in one place of one record, that a first name may be given: the person themselves writes no appointment",
        frozenset({"Appointment"}),
        frozenset({"Appointment"}),
        named=frozenset({"Appointment"}),
    ),
    Internal(
        "sign-in",
        Purpose.HOPERAT,
        "finds who in the directory is the professional that Pro Santé Connect has recognised, and writes the profession that"
        " a role in someone's place awaits",
        frozenset({"Practitioner"}),
        frozenset({"Practitioner"}),
    ),
    Internal(
        "people",
        Purpose.HOPERAT,
        "writes the people and roles of a service for its manager, who may do so for her own service alone",
        frozenset({"Practitioner", "PractitionerRole"}),
        frozenset({"Practitioner", "PractitionerRole"}),
    ),
    Internal(
        "accounts",
        Purpose.HOPERAT,
        "finds at the console who of the directory has a name, for whoever opens an account there",
        frozenset({"Organization", "Practitioner", "PractitionerRole"}),
        _NONE,
    ),
    Internal("forms", Purpose.HOPERAT, "puts the form of a visit that a home service publishes among the Questionnaires",
             frozenset({"Questionnaire"}), frozenset({"Questionnaire"})),
    Internal("directory", Purpose.HOPERAT, "writes the directory and the library of protocols", _NONE, _ALL_TYPES),
    Internal("library", Purpose.HOPERAT, "publishes protocols: definitions and terminology, nothing of anybody",
             _DEFINITIONS, _DEFINITIONS),
    Internal(
        "indexing",
        Purpose.HOPERAT,
        "reads what is stored once more for each search parameter that an administrator adds; keeps index tokens only",
        _ALL_TYPES - {"AuditEvent"},
        _NONE,
    ),
    Internal("papers", Purpose.HOPERAT, "names the structures in the papers of the data protection officer",
             frozenset({"Organization"}), _NONE),
    Internal("unusual", Purpose.HOPERAT,
             "looks through the journal by the rules of unusual access: who the two are, and whether work links them",
             frozenset({"Patient", "Practitioner", "Organization", "Task"}), _NONE),
    Internal("rebuild", Purpose.HOPERAT, "reads facts again to rebuild rights and classes", _ALL_TYPES, _NONE),
)  # fmt: skip
INTERNALS: Final[Mapping[str, Internal]] = {internal.role_code: internal for internal in _TABLE}


class _Types:
    """The bound of an internal principal: its own types, of those that are `named` what was given, nothing else."""

    def __init__(self, internal: Internal, within: Mapping[str, tuple[str, ...]]) -> None:
        self._internal, self._within = internal, within

    def allows(self, interaction: Interaction, type_: str) -> bool:
        if self._internal.named and interaction in "cd":
            return False
        if type_ in self._internal.named and not self._within.get(type_):
            return False
        return type_ in (self._internal.reads if interaction in "rs" else self._internal.writes)

    def criteria(self, interaction: Interaction, type_: str) -> tuple[str, ...]:
        return self._within.get(type_, ())


async def open_session(
    connection: "asyncpg.Connection | asyncpg.Pool",
    name: str,
    lasting: timedelta = timedelta(minutes=30),
    *,
    caller: Caller | None = None,
    of: int = 0,
    within: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Caller:
    """A caller for one piece of background work. KeyError for a name that is not in the table; ValueError for one that works in
    one record and is given none.

    With `caller`, the work is done for that person: the journal shows who behind the name of the principal. `of`: the one patient
    whose record it reaches, 0 for everybody's. `within`: by type, the searches of which a resource must match one (contract.Bound);
    a type that is `named` and not in it is not reached at all.
    """
    internal = INTERNALS[f"{PREFIX}{name}"]
    if internal.named and not of:
        raise ValueError(f"the internal principal {name} works in one record, and none was given")
    session = randbits(62) + 1
    await connection.execute(
        "insert into access_session (session, principals, purpose, role_code, practitioner, role, organization, account,"
        " client, kinds, scope, expires_at, only_patient) values ($1, '{}', $2, $3, nullif($4::bigint, 0),"
        " nullif($5::bigint, 0), nullif($6::bigint, 0), nullif($7::bigint, 0), nullif($8::bigint, 0), $9, '', now() + $10,"
        " nullif($11::bigint, 0))",
        session,
        internal.purpose,
        internal.role_code,
        caller.practitioner if caller else 0,
        caller.role if caller else 0,
        caller.organization if caller else 0,
        caller.account if caller else 0,
        caller.client if caller else 0,
        sorted(kind_of(type_) for type_ in internal.reads - (internal.named - within.keys())),
        lasting,
        of,
    )
    bound: Bound = _Types(internal, dict(within))  # sent to the processes of an import
    return Caller(
        session,
        bound,
        internal.purpose,
        internal.role_code,
        practitioner=caller.practitioner if caller else 0,
        role=caller.role if caller else 0,
        organization=caller.organization if caller else 0,
        account=caller.account if caller else 0,
        client=caller.client if caller else 0,
        only_patient=of,
        acts_for=caller.acts_for if caller else 0,
        proven=caller.proven if caller else "",
    )


async def close_session(connection: "asyncpg.Connection | asyncpg.Pool", caller: Caller) -> None:
    """Ends it before its time."""
    await connection.execute("update access_session set ended_at = now() where session = $1", caller.session)
