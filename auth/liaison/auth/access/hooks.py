"""What the store does for rights inside its transaction (contract.Hooks): classify, permit, derive, and journal.

Before the rows: labels are completed, the right to write is checked as it stands, identity rules apply. After them: facts
are read from what was written, grants are computed again, nobody has gained by their own hand, and the journal holds it.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import asyncpg

from liaison.auth.access import (
    adopted,
    amendment,
    attending,
    classify,
    consent_writing,
    directory,
    grants,
    heeding,
    identity,
    labels,
    letting_in,
    masking,
    mislabelling,
    opening,
    own_rights,
    permitting,
    reclassifying,
    relabelling,
    signing,
    standing,
    stay_writing,
    superseded,
    writing,
)
from liaison.auth.access.classes import Class
from liaison.auth.access.facts import FACT_TYPES, Reading, facts_of
from liaison.auth.access.intervals import ALWAYS
from liaison.auth.access.relation_rows import replace_facts
from liaison.auth.access.relations import Relation
from liaison.auth.access.standing import Standing
from liaison.auth.access.table import Table
from liaison.auth.access.world import Fact, Source
from liaison.auth.access.writing import First
from liaison.auth.caller import Caller
from liaison.auth.journal.entry import Entry, entries_for_changes
from liaison.auth.oauth2 import rfc9470
from liaison.auth.people import identity_checks, notices, professions
from liaison.auth.unusual import cases
from liaison.fhir.errors import FhirError
from liaison.fhir.store.contract import Change, Key, Labels, Tree, Unit
from liaison.fhir.store.ids import Ids
from liaison.fhir.vault import PatientKey, Vault


class Journal(Protocol):
    async def record_within(self, connection: asyncpg.Connection, entries: Sequence[Entry]) -> None: ...


class Hooks:
    """Holds no state between two transactions, nor between its own steps: all of it is in the database."""

    alone = FACT_TYPES

    def __init__(self, vault: Vault, journal: Journal) -> None:
        self._vault = vault
        self._journal = journal
        self._ids = Ids(vault.id_key)

    def classify(self, change: Change, related: Mapping[str, Tree]) -> Labels:
        """The classes and owners of a resource; never without a class. A directory resource is of the directory."""
        if change.key.patient == 0:
            return Labels(int(Class.DIRECTORY))
        assert change.tree is not None, "a deletion keeps its labels"
        return classify.classify(change.tree, related)

    async def before_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        """Refuses what the caller may not write, by their rights of now; completes labels; appends a Provenance to an
        amendment of someone else's entry, and a task to an identity that collides with another."""
        changes = [change for unit in units for change in unit.changes]
        stated = any(directory.states_directory_facts(change) for change in changes)
        if stated or any(_states_facts(change) for change in changes):
            await grants.lock(connection, {change.key.patient for change in changes} - {0}, directory=stated)
        elif followed := await self._followed(connection, changes, changed=True):
            await grants.lock(connection, followed)  # what is written meanwhile is marked by what it then refers to
        now = await adopted.current(connection)
        if classify.use(await adopted.classification(connection, now.classes)):  # another has come into force
            for change, related in [
                (one, unit.related) for unit in units for one in unit.changes if one.tree is not None
            ]:
                change.labels = self.classify(change, related)
        replaced = [superseded.successors(self._ids, unit.changes, unit.related) for unit in units]
        patients = [
            _patients(self._ids, unit) | {key.patient for key in others.values()}
            for unit, others in zip(units, replaced, strict=True)
        ]
        asked = [(unit.caller.session, concerned) for unit, concerned in zip(units, patients, strict=True)]
        standings = await standing.standings(connection, self._ids, asked)
        new = {change.key.patient for change in changes if change.new_patient}
        keys = await self._vault.patient_keys(connection, set().union(*patients) - new)
        signed = [(who, unit.changes) for unit in units if (who := standings.get(unit.caller.session)) is not None]
        await labels.complete(connection, self._vault, signed)
        first = await writing.firsts(connection, changes)
        tables = await adopted.limiting(connection, now)
        for unit, others in zip(units, replaced, strict=True):
            who = standings.get(unit.caller.session)
            try:
                if who is None:
                    raise standing.over()
                await self._check(connection, keys, who, unit.changes, first, tables)
                superseded.check(self._ids, who, unit.changes, unit.related, others)
                await self._heed(connection, unit.changes)
            except FhirError as refusal:
                unit.refusal = refusal

    async def _heed(self, connection: asyncpg.Connection, changes: list[Change]) -> None:
        """Adds the end of each emergency access and call that what is said here refuses; refuses one that is opened against
        what was said."""
        for change in [one for one in changes if one.type_ == "Task" and one.interaction == "create"]:
            await heeding.refuse_opposed(connection, self._vault, self._ids, change.key.patient, self._facts(change))
        for change in [one for one in changes if one.type_ == "Consent" and one.tree is not None]:
            facts, patient = self._facts(change), change.key.patient
            ended = await heeding.end_opposed(connection, self._vault, self._ids, patient, facts, change.at)
            known = {one.key for one in changes}
            changes += [one for one in ended if one.key not in known]

    async def _check(
        self,
        connection: asyncpg.Connection,
        keys: dict[int, PatientKey],
        who: Standing,
        changes: list[Change],
        first: dict[Key, First],
        tables: Sequence[Table],
    ) -> None:
        writing.check(self._ids, keys, who, changes, first, tables)
        mislabelling.check(changes)
        # People alone: software that acts by itself has no one to ask, and proves its key at each token.
        if who.internal is None and who.practitioner and any(c.key.kind in rfc9470.GIVES_RIGHTS for c in changes):
            await rfc9470.check(connection, who.session)
        if who.internal is None:
            relabelling.check(self._ids, keys, who, changes, first, tables)
            await signing.check(connection, self._ids, keys, who, changes)
        await consent_writing.check(connection, self._ids, who, changes, first)
        await stay_writing.check(connection, self._ids, who, changes)
        await letting_in.check(connection, self._ids, keys, who, changes)
        await permitting.check(connection, self._ids, keys, who, changes, tables)
        await attending.check(connection, self._ids, who, changes)
        if who.internal is None:
            amendment.add_provenance(self._ids, keys, who, changes, first)
        await identity.keep_unique(connection, self._vault, self._ids, who, changes)

    async def after_write(self, connection: asyncpg.Connection, units: Sequence[Unit]) -> None:
        """Facts, grants and journal entries follow what was written."""
        for unit in units:
            for patient in await self._followed(connection, unit.changes):
                await reclassifying.reclassify(connection, self._vault, patient)
            await self._follow(connection, unit.caller, unit.changes)
            await identity_checks.end_representation(connection, unit.changes)
            await notices.of_changes(connection, self._ids, unit.changes)
            await cases.of_changes(connection, self._ids, unit.changes)
        patients = {change.key.patient for unit in units for change in unit.changes} - {0}
        keys = await self._vault.patient_keys(connection, patients)
        # Each entry names the request it comes from.
        entries = [
            one
            for unit in units
            for one in unit.context.run(
                entries_for_changes, unit.caller, unit.changes, relabelled=relabelling.relabelled(keys, unit.changes)
            )
        ]
        await self._journal.record_within(connection, entries)

    async def _followed(
        self, connection: asyncpg.Connection, changes: Sequence[Change], *, changed: bool = False
    ) -> set[int]:
        """The patients of whom others follow one of these; with `changed`, one of something that was there."""
        asked = [one for one in changes if one.key.patient and (one.before_row is not None or not changed)]
        keys = await self._vault.patient_keys(
            connection, {one.key.patient for one in asked if one.before_row is not None}
        )
        return {one.key.patient for one in asked if reclassifying.is_followed(one, changes, keys)}

    async def _follow(self, connection: asyncpg.Connection, caller: Caller, changes: Sequence[Change]) -> None:
        stating = [change for change in changes if _states_facts(change)]
        affected = {change.key.patient for change in stating}
        if any(directory.states_directory_facts(change) for change in changes):
            offices = await directory.offices(connection)
            touched = await directory.derive(connection, self._ids, changes)
            await professions.refuse_others(connection, changes)
            if await directory.offices(connection) != offices:
                affected |= set(await directory.everyone(connection))
            else:
                affected |= set(await self._patients_of(connection, touched))
        if affected:
            await self._derive(connection, caller, stating, affected)

    async def _derive(
        self, connection: asyncpg.Connection, caller: Caller, stating: Sequence[Change], affected: set[int]
    ) -> None:
        patients = {change.key.patient for change in stating}
        who = await standing.standing(connection, self._ids, caller.session, patients)
        new = {change.key.patient for change in stating if change.new_patient}
        old = affected - new
        checked = who.internal is None and bool(old)
        if checked and not (await adopted.current(connection)).settled:
            await grants.recompute(
                connection, self._vault, old
            )  # what a new table gives them, they do not give themselves
        before = await own_rights.held(connection, who, old) if checked else []
        masks = await masking.stated(connection, patients)
        facts = [(change.key.patient, fact) for change in stating for fact in self._facts(change)]
        facts += [(change.key.patient, fact) for change in stating for fact in _opened_by(who, change)]
        await replace_facts(connection, [change.key for change in stating], facts)
        await grants.recompute(connection, self._vault, affected)
        if checked:
            after = await own_rights.held(connection, who, old)
            if own_rights.widened(before, after, await connection.fetchval("select now()")):
                own_rights.refuse()
        if who.internal is None:
            await opening.check(connection, self._ids, stating)
        masked = await masking.stated(connection, patients)
        if checked:
            await masking.check_lifted(connection, self._vault, who, masks - masked)
        for patient in {item.patient for item in masks ^ masked}:
            await reclassifying.reclassify(connection, self._vault, patient)

    def _facts(self, change: Change) -> list[Fact]:
        if change.tree is None:
            return []
        if change.type_ not in FACT_TYPES:
            return masking.of_its_own(change.key, change.tree)
        reading = Reading(change.tree, change.key, self._ids.decode, Class(change.labels.classes))
        return [*facts_of(change.type_, reading), *masking.of_its_own(change.key, change.tree)]

    async def _patients_of(self, connection: asyncpg.Connection, touched: directory.Touched) -> list[int]:
        """While another table comes into force records may keep what the one before gave, and are touched by either."""
        settled = (await adopted.current(connection)).settled
        table = await adopted.in_force(connection) if settled else None
        patients = await directory.touched_patients(connection, touched, table)
        await grants.lock(connection, patients, directory=True)
        return patients


def _patients(ids: Ids, unit: Unit) -> set[int]:
    linked = {patient for change in unit.changes for patient in writing.linked_patients(ids, change)}
    return {change.key.patient for change in unit.changes} | linked


def _states_facts(change: Change) -> bool:
    return change.key.patient != 0 and (change.type_ in FACT_TYPES or masking.touches(change))


def _opened_by(who: Standing, change: Change) -> list[Fact]:
    """Who opens a record keeps what they enter in it (row 28): the person, or the client of a structure."""
    opener = who.client if not who.practitioner else who.practitioner
    if not change.new_patient or not opener or who.role_code in ("patient", "guardian"):
        return []
    return [Fact(opener, Relation.AUTHOR, ALWAYS, source=Source(change.key.kind, change.key.res))]
