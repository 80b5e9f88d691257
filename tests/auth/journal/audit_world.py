"""Two patients, their structures, and sessions that may or may not read their traces."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
import pytest

from liaison.auth.access.classes import Class
from liaison.auth.access.filter import Filter
from liaison.auth.access.purposes import Purpose
from liaison.auth.access.relations import Relation
from liaison.auth.access.table import number_of
from liaison.auth.caller import Caller
from liaison.auth.journal.audit_reader import AuditReader
from liaison.auth.journal.commit import Journal
from liaison.auth.journal.entry import Entry, Event
from liaison.auth.journal.keys import JournalKeys
from liaison.auth.smart.scopes import read_scopes
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key
from liaison.fhir.store.database import Database
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import Vault

BASE = "http://127.0.0.1/fhir"
MSP, HOSPITAL, WARD, UNION = 100, 200, 201, 300
DOCTOR, NURSE = 11, 12


@dataclass
class World:
    """Two patients: one followed at the maison de santé, one in a ward of the hospital."""

    raw: asyncpg.Connection
    journal: Journal
    reader: AuditReader
    vault: Vault
    ids: Ids
    patients: dict[int, int]

    async def session(self, role_code: str, purpose: Purpose, organization: int = 0, *principals: int) -> Caller:
        number = secrets.randbits(62)
        await self.raw.execute(
            "insert into access_session (session, principals, purpose, organization, role_code, expires_at)"
            " values ($1, $2, $3, nullif($4::bigint, 0), $5, now() + interval '1 hour')",
            number,
            list(principals),
            int(purpose),
            organization,
            role_code,
        )
        return Caller(number, read_scopes("user/AuditEvent.rs"), int(purpose), role_code, organization=organization)

    async def auditor(self, organization: int) -> Caller:
        return await self.session("auditor", Purpose.HOPERAT, organization, 90)

    async def grant(self, patient: int, principal: int, rule: str, relation: Relation, read: Class) -> None:
        key = (await self.vault.patient_keys(self.raw, [patient]))[patient]
        await self.raw.execute(
            "insert into access_grant (patient, principal, purpose, mask, write_mask, rule, relation, valid_from, valid_to)"
            " values ($1, $2, $3, $4, 0, $5, $6, now() - interval '1 day', now() + interval '1 day')",
            patient,
            principal,
            int(Purpose.PATRQT),
            key.permute(int(read)),
            number_of(rule),
            int(relation),
        )

    async def resource(self, patient: int, classes: Class, kind: str = "Observation") -> int:
        key = (await self.vault.patient_keys(self.raw, [patient]))[patient]
        res = secrets.randbits(60)
        await self.raw.execute(
            "insert into version (patient, kind, res, version, at, classes, sealed) values ($1, $2, $3, 1, now(), $4, '')",
            patient,
            kind_of(kind),
            res,
            key.permute(int(classes)),
        )
        return res

    def patient_id(self, patient: int) -> str:
        return self.ids.encode(Key(patient, kind_of("Patient"), self.patients[patient]))

    def read(self, patient: int, person: int, organization: int, res: int, rule: int = 20) -> Entry:
        return Entry(
            Event.READ,
            patient=patient,
            person=person,
            organization=organization,
            purpose=int(Purpose.TREAT),
            role_code="gp",
            client=8,
            items=((kind_of("Observation"), res, 1, rule, int(Relation.TEAM)),),
            method="GET",
            path="Observation/x",
            request="r1",
            address="192.0.2.9",
        )

    async def events(self, caller: Caller, query: str = "") -> list[dict[str, Any]]:
        answer = await self.reader.search(caller, query)
        return [one["resource"] for one in orjson.loads(answer.body).get("entry", [])]

    async def about(self, caller: Caller, query: str = "") -> set[str]:
        """The patients that the events found are about, '' for none."""
        found = set()
        for event in await self.events(caller, query):
            people = [one for one in event.get("entity", []) if one.get("role", {}).get("code") == "1"]
            found.add(people[0]["what"]["reference"].removeprefix("Patient/") if people else "")
        return found


@pytest.fixture
async def world(
    database: Database, journal: Journal, keys: JournalKeys, vault: Vault, raw: asyncpg.Connection
) -> AsyncIterator[World]:
    patients = {}
    for number in (1001, 1002):
        wrapped = vault.new_patient(number)
        await raw.execute("insert into patient (patient, shelf, wrapped) values ($1, $2, $3)", *wrapped)
        res = secrets.randbits(60)
        await raw.execute(
            "insert into version (patient, kind, res, version, at, classes, sealed) values ($1, $2, $3, 1, now(), 1, '')",
            number,
            kind_of("Patient"),
            res,
        )
        patients[number] = res
    await raw.execute("insert into organization_part (organization, part_of) values ($1, $2)", WARD, HOSPITAL)
    for number, organization in ((1001, MSP), (1002, WARD)):
        await raw.execute(
            "insert into relation (patient, principal, relation, source_kind, source_res, ordinal, organization,"
            " valid_from, valid_to) values ($1, 5, 4, 1, 1, 0, $2, now() - interval '1 day', now() + interval '1 day')",
            number,
            organization,
        )
    reader = AuditReader(database, vault, keys, Filter(), BASE)
    yield World(raw, journal, reader, vault, Ids(vault.id_key), patients)
