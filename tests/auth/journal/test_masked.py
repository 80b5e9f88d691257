"""What a question says of who somebody is does not reach those who read the journal without a reason."""

import pytest

from liaison.auth.journal.masked import masked

SHOWN = [
    ("Observation", "code=8480-6&date=ge2026-01-01&_count=20"),
    ("Observation", "patient=Patient/a1&_include=Observation:performer"),
    ("Observation/$lastn", "patient=Patient/a1&max=1"),
    ("Patient", "_id=a1&_has:Observation:patient:code=8480-6"),
    ("Patient", "general-practitioner=Practitioner/b2&active=true&_sort=-_lastUpdated"),
    ("Patient", "general-practitioner.family=Kerbrat"),
    ("Patient/a1/$everything", "start=2026-01-01&_type=Observation"),
    ("Patient/a1/Observation", "code=8480-6"),
    ("Practitioner", "name=Kerbrat&identifier=10001234567"),
    ("PractitionerRole", "practitioner.name=Kerbrat&organization.name=SISA"),
    ("AuditEvent", "patient=Patient/a1&agent-name=Cabinet"),
    ("", ""),
]

HIDDEN = [
    ("Patient", "family=Robic&birthdate=1941-02-03", "family=***&birthdate=***"),
    ("Patient/_search", "name:exact=Robic&_count=2", "name:exact=***&_count=2"),
    ("Patient", "identifier=urn:oid:1.2.250.1.213.1.4.8|123&gender=female", "identifier=***&gender=female"),
    ("Patient", "_filter=name%20eq%20%22Robic%22", "_filter=***"),
    ("Patient", "Robic", "***"),
    ("Patient", "nom=Robic", "***"),
    ("Patient/$register", "family=Robic", "family=***"),
    ("RelatedPerson", "patient=Patient/a1&name=Robic", "patient=Patient/a1&name=***"),
    ("Observation", "patient.family=Robic&code=8480-6", "patient.family=***&code=8480-6"),
    ("Observation", "subject%3APatient.birthdate=1941-02-03", "subject%3APatient.birthdate=***"),
    ("Observation", "subject.name=Robic", "subject.name=***"),
    ("Observation", "encounter.subject:Patient.name=Robic", "encounter.subject:Patient.name=***"),
    ("Observation", "patient:identifier=urn:oid:1|123", "patient:identifier=***"),
    ("Observation", "patient.name.of=Robic", "***"),
    ("Observation", "nom=Robic", "***"),
    ("Practitioner", "_has:Task:owner:patient.name=Robic", "_has:Task:owner:patient.name=***"),
    ("Practitioner", "_has:Task=Robic", "***"),
    ("", "_type=Patient&family=Robic", "_type=Patient&family=***"),
    ("Observation", "_text=Robic&_content=Robic", "_text=***&_content=***"),
]


@pytest.mark.parametrize(("path", "query"), SHOWN, ids=[f"{path}?{query}" for path, query in SHOWN])
def test_what_names_nobody_is_shown_as_it_was_asked(path: str, query: str) -> None:
    assert masked(path, query) == query


@pytest.mark.parametrize(("path", "query", "shown"), HIDDEN, ids=[f"{path}?{query}" for path, query, _ in HIDDEN])
def test_what_tells_who_somebody_is_is_left_out(path: str, query: str, shown: str) -> None:
    assert masked(path, query) == shown
