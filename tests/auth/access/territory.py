"""A small territory over the real store, engine, hooks and journal, and short ways to act in it."""

import itertools
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liaison.auth import sessions
from liaison.auth.access import internal, mandates, vocabulary
from liaison.auth.access.filter import Filter
from liaison.auth.access.hooks import Hooks
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.roles import ROLES
from liaison.auth.caller import Caller
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.oauth2.keys import ACCESS, SigningKeys
from liaison.auth.sessions import BROWSER, Act
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.fhir.store.database import Database
from liaison.fhir.vault import FileKeyProvider, Vault
from liaison.services.calls import Calls
from liaison.services.emergency_access import EmergencyAccess
from liaison.services.engine import Engine
from liaison.services.operations import OPERATIONS
from liaison.services.urgent_tokens import Issuer

BASE = "https://record.example/fhir"
Tree = dict[str, Any]
_numbers = itertools.count(1)


@dataclass
class Person:
    """A professional: their references, and the session they act in."""

    practitioner: str
    role: str
    code: str
    organization: str = ""
    session: Caller | None = None

    @property
    def caller(self) -> Caller:
        assert self.session is not None, "not signed in"
        return self.session


@dataclass
class Patient:
    """A patient: the reference and the resources made for them, by name."""

    reference: str
    made: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.reference.split("/")[1]


def qualified(code: str, **more: Any) -> Tree:
    """A qualification in a profession of TRE_G15."""
    return {"code": {"coding": [{"system": vocabulary.PROFESSION, "code": code}]}, **more}


def team(patient: Patient, members: Iterable[Person | str], **more: Any) -> Tree:
    return {
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": patient.reference},
        "participant": [member(one) for one in members],
        **more,
    }


def member(one: Person | str, **more: Any) -> Tree:
    return {"member": {"reference": one if isinstance(one, str) else one.role}, **more}


ATTENDING = [{"coding": [{"system": vocabulary.PARTICIPATION_FUNCTION, "code": "PCP"}]}]


def consent(patient: Patient, kind: str = "sharing", provision: Mapping[str, Any] | None = None, **more: Any) -> Tree:
    return {
        "resourceType": "Consent",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": vocabulary.CONSENT, "code": kind}]}],
        "patient": {"reference": patient.reference},
        "dateTime": "2026-01-05T10:00:00+01:00",
        "policyRule": {"text": "L.1110-4"},
        "provision": (stated := dict(provision or {"type": "permit"})),
        **({"performer": [{"reference": patient.reference}]} if stated["type"] == "permit" else {}),
        **more,
    }


def actor(reference: str) -> Tree:
    return {
        "role": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]},
        "reference": {"reference": reference},
    }


def classes(*names: str) -> list[Tree]:
    return [{"system": vocabulary.DATA_CLASS, "code": name} for name in names]


_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def vital(**more: Any) -> Tree:
    return {"category": [{"coding": [{"system": _CATEGORY, "code": "vital-signs"}]}], **more}


def item(patient: Patient, type_: str = "Observation", **more: Any) -> Tree:
    """A small valid resource of the type, about the patient."""
    subject = {"reference": patient.reference}
    code = {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}
    shapes: dict[str, Tree] = {
        "Observation": {"status": "final", "code": code, "subject": subject, "effectiveDateTime": "2026-03-01"},
        "Condition": {"code": {"text": "x"}, "subject": subject},
        "AllergyIntolerance": {
            "clinicalStatus": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]},
            "patient": subject, "code": {"text": "x"}},
        "MedicationRequest": {
            "status": "active", "intent": "order", "subject": subject, "medicationCodeableConcept": {"text": "x"},
        },
        "Communication": {"status": "completed", "subject": subject},
        "CarePlan": {"status": "active", "intent": "plan", "subject": subject},
        "Task": {"status": "requested", "intent": "order", "for": subject},
        "Flag": {"status": "active", "code": {"text": "x"}, "subject": subject},
        "Encounter": {
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": subject,
            "period": {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T11:00:00Z"},
        },
        "Appointment": {
            "status": "booked",
            "participant": [{"actor": subject, "status": "accepted"}],
            "start": "2026-01-05T10:00:00Z", "end": "2026-01-05T10:30:00Z",
        },
        "QuestionnaireResponse": {"status": "completed", "subject": subject},
        "RelatedPerson": {"patient": subject, "name": [{"family": "Proche"}]},
        "Coverage": {"status": "active", "beneficiary": subject, "payor": [{"display": "CPAM"}]},
        "DocumentReference": {
            "status": "current", "subject": subject,
            "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
        },
        "ServiceRequest": {"status": "active", "intent": "order", "subject": subject},
    }  # fmt: skip
    return {"resourceType": type_, **shapes[type_], **more}


class Territory:
    """Everything goes through Engine.handle, as it does over HTTP."""

    def __init__(self, store: Store, journal: Journal, engine: Engine, system: Caller) -> None:
        self.store, self.journal, self.engine, self.system = store, journal, engine, system
        self.database = store.database
        self._union = ""

    # ---- requests ------------------------------------------------------------------------------------------------

    async def ask(self, caller: Caller, method: str, path: str, body: Tree | None = None, **headers: str) -> Answer:
        path, _, query = path.partition("?")
        content = json.dumps(body).encode() if body is not None else b""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.engine.handle(caller, Request(method, path, query, content, named))

    async def status(self, caller: Caller, path: str) -> int:
        return (await self.ask(caller, "GET", path)).status

    async def sees(self, caller: Caller, path: str) -> bool:
        status = await self.status(caller, path)
        assert status in (200, 404), status
        return status == 200

    async def search(self, caller: Caller, path: str) -> list[str]:
        answer = await self.ask(caller, "GET", path)
        assert answer.status == 200, answer.body
        found = json.loads(answer.body)
        return [f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in found.get("entry", ())]

    async def create(self, caller: Caller, tree: Tree, **headers: str) -> str:
        answer = await self.ask(caller, "POST", tree["resourceType"], tree, **headers)
        assert answer.status in (200, 201), answer.body
        return f"{tree['resourceType']}/{json.loads(answer.body)['id']}"

    async def refused(self, caller: Caller, method: str, path: str, tree: Tree | None = None, **headers: str) -> Answer:
        answer = await self.ask(caller, method, path, tree, **headers)
        assert 400 <= answer.status < 500, (answer.status, answer.body)
        return answer

    async def tree(self, reference: str, caller: Caller | None = None) -> Tree:
        answer = await self.ask(caller or self.system, "GET", reference)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)  # type: ignore[no-any-return]  # JSON objects

    async def change(self, caller: Caller, reference: str, **elements: Any) -> Answer:
        """Reads as the system, changes some elements (None removes), writes as the caller."""
        tree = {**await self.tree(reference), **elements}
        return await self.ask(caller, "PUT", reference, {k: v for k, v in tree.items() if v is not None})

    def key(self, reference: str) -> Key:
        key = self.store.key(*reference.split("/"))
        assert key is not None
        return key

    # ---- people --------------------------------------------------------------------------------------------------

    async def organization(self, name: str = "Structure", part_of: str = "") -> str:
        tree: Tree = {"resourceType": "Organization", "name": name}
        if part_of:
            tree["partOf"] = {"reference": part_of}
        return await self.create(self.system, tree)

    async def person(
        self, code: str, organization: str = "", *, acts_for: str = "", period: Tree | None = None
    ) -> Person:
        tree: Tree = {"resourceType": "Practitioner", "name": [{"family": code}]}
        if code in ("substitute", "trainee"):
            tree["qualification"] = [qualified("10")]
        practitioner = await self.create(self.system, tree)
        return await self.role_of(practitioner, code, organization, acts_for=acts_for, period=period)

    async def mandated(self, code: str = "auditor") -> Person:
        """Of an organisation that answers for the whole territory."""
        if not self._union:
            self._union = await self.organization("Union")
            async with self.database.writing.acquire() as one, one.transaction():
                await mandates.give(one, self.store.vault, self.key(self._union).res, "Convention d'essai")
        return await self.person(code, self._union)

    async def role_of(
        self, practitioner: str, code: str, organization: str = "", *, acts_for: str = "", period: Tree | None = None
    ) -> Person:
        tree: Tree = {
            "resourceType": "PractitionerRole",
            "active": True,
            "practitioner": {"reference": practitioner},
            "code": [{"coding": [{"system": vocabulary.ROLE, "code": code}]}],
        }
        if organization:
            tree["organization"] = {"reference": organization}
        if acts_for:
            tree["extension"] = [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": acts_for}}]
        if period:
            tree["period"] = period
        role = await self.create(self.system, tree)
        person = Person(practitioner, role, code, organization)
        person.session = await self.sign_in(person)
        return person

    async def sign_in(self, person: Person, purpose: Purpose | None = None) -> Caller:
        act = Act(
            principals=(self.key(person.practitioner).res, self.key(person.role).res),
            purpose=purpose or ROLES[person.code].purpose,
            role_code=person.code,
            practitioner=self.key(person.practitioner).res,
            role=self.key(person.role).res,
            organization=self.key(person.organization).res if person.organization else 0,
        )
        return await self._open(act)

    async def as_oneself(self, reference: str, code: str = "patient", patient: str = "") -> Caller:
        res = self.key(reference).res
        only = self.key(patient).patient if patient else 0
        act = Act((res,), Purpose.PATRQT, code, practitioner=res, only_patient=only)
        return await self._open(act)

    async def _open(self, act: Act) -> Caller:
        async with self.database.writing.acquire() as connection:
            session = await sessions.open_session(connection, act, BROWSER, 3600)
            caller = await sessions.caller_of(connection, session)
        assert caller is not None
        return caller

    async def client(self, organization: str, code: str, purpose: Purpose) -> Caller:
        number = next(_numbers)
        await self.database.writing.execute(
            "insert into client (client, client_id, kind, name, scope, organization, role_code, purpose)"
            " values ($1, $2, 'backend', $2, '', $3, $4, $5)",
            number,
            f"client-{number}",
            self.key(organization).res,
            code,
            purpose,
        )
        return await self._open(Act((number,), purpose, code, client=number, organization=self.key(organization).res))

    # ---- records -------------------------------------------------------------------------------------------------

    team, member, consent, item_of = staticmethod(team), staticmethod(member), staticmethod(consent), staticmethod(item)
    actor, classes, vital = staticmethod(actor), staticmethod(classes), staticmethod(vital)
    ATTENDING = ATTENDING

    async def patient(self, *members: Person | str, informed: bool = True, **more: Any) -> Patient:
        """A patient with a team (people or structures), recorded by the system."""
        tree = {"resourceType": "Patient", "name": [{"family": f"Test{next(_numbers)}", "given": ["A"]}],
                "birthDate": "1950-01-02", **more}  # fmt: skip
        patient = Patient(await self.create(self.system, tree))
        if members:
            patient.made["team"] = await self.create(self.system, team(patient, members))
        if informed:
            patient.made["information"] = await self.create(self.system, consent(patient, "information"))
        return patient

    async def item(self, patient: Patient, type_: str = "Observation", **more: Any) -> str:
        return await self.create(self.system, item(patient, type_, **more))


@asynccontextmanager
async def opened(database: Database, folder: Path) -> AsyncIterator[Territory]:
    async with database.writing.acquire() as connection:
        vault = await Vault.open(connection, FileKeyProvider.create(folder / "key"))
        keys = await JournalKeys.load(connection, vault)
    journal = await Journal.open(database, keys)
    async with Store(database, vault, Filter(), Hooks(vault, journal)) as store:
        issuer = Issuer(await SigningKeys.open(database, vault.territory, [ACCESS]), BASE.removesuffix("/fhir"))
        served = {**OPERATIONS, **EmergencyAccess(issuer).operations, **Calls(issuer).operations}
        engine = Engine(store, journal, BASE, served, {})
        yield Territory(store, journal, engine, await internal.open_session(database.writing, "sandbox"))
    await journal.close()
