"""A caller outside the team gets exactly what they would get if the record did not exist."""

from typing import Any

from liaison.auth.access.filter import Filter
from liaison.fhir.store import Store
from liaison.fhir.store.contract import Key

from .conftest import PSY, PlainHooks, Territory

MADE_UP = "0123456789abcdef" * 2


async def _record(territory: Territory) -> tuple[Key, Key, Key, Key]:
    """A patient nobody may see but principal 9, with one observation in an encounter."""
    patient = await territory.patient(
        name=[{"family": "Secret"}], birthDate="1960-01-01", identifier=[{"system": "urn:ins", "value": "1"}]
    )
    await territory.grant(patient.patient, 9)
    nurse = await territory.add({"resourceType": "Practitioner", "name": [{"family": "Petit"}]})
    subject = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    encounter = await territory.add(
        {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}, **subject}, patient
    )
    observation = await territory.observation(
        patient,
        encounter={"reference": f"Encounter/{territory.id(encounter)}"},
        performer=[{"reference": f"Practitioner/{territory.id(nurse)}"}],
        valueString="secret",
    )
    return patient, encounter, observation, nurse


def _asked(patient: str, encounter: str, observation: str) -> list[tuple[str, str]]:
    return [
        ("Patient", f"_id={patient}"),
        ("Patient", "family=secret"),
        ("Patient", "family:exact=Secret"),
        ("Patient", "birthdate=1960"),
        ("Patient", "identifier=urn:ins|1"),
        ("Patient", "identifier:not=urn:ins|1"),
        ("Patient", ""),
        ("Patient", "_sort=family"),
        ("Observation", f"patient={patient}"),
        ("Observation", f"patient={patient}&code=8867-4&_sort=-date&_count=20"),
        ("Observation", f"patient={patient}&_sort=code"),
        ("Observation", f"patient={patient}&value-string=secret"),
        ("Observation", f"subject=Patient/{patient}&_include=Observation:subject"),
        ("Observation", f"encounter={encounter}"),
        ("Observation", f"_id={observation}"),
        ("Observation", "code=8867-4"),
        ("Observation", "code:not=x"),
        ("Observation", "encounter:missing=false"),
        ("Observation", "date=ge2000"),
        ("Observation", "_lastUpdated=ge2000"),
        ("Observation", "value-string:contains=e"),
        ("Practitioner", "_revinclude=Observation:performer&_revinclude=Encounter:*"),
        ("Patient", "_has:Observation:patient:code=8867-4"),
        ("Patient", f"_has:Observation:patient:encounter={encounter}"),
        ("Patient", "_has:Encounter:patient:_has:Observation:encounter:value-string=secret"),
        ("Practitioner", "_has:Observation:performer:code=8867-4"),
        ("Observation", "patient.family=secret"),
        ("Observation", f"patient._id={patient}"),
        ("Observation", "encounter.class=HH"),
        ("Observation", f"encounter._id={encounter}"),
        ("Encounter", "_has:Observation:encounter:code=8867-4"),
        ("Encounter", f"subject={patient}"),
        ("Encounter", f"_id={encounter}"),
    ]


def _ids(territory: Territory, *keys: Key) -> dict[str, str]:
    return dict(zip(("patient", "encounter", "observation"), map(territory.id, keys), strict=True))


async def _trace(territory: Territory, asked: list[tuple[str, str]], **ids: str) -> list[Any]:
    """Everything that leaves: bytes and totals, with the ids asked for made equal."""
    found = []
    for type_, query in asked:
        for more in ("", "&_total=accurate", "&_summary=count"):
            answer = (await territory.search(type_, f"{query}{more}")).answer
            body = answer.body
            for name, id_ in ids.items():
                body = body.replace(id_.encode(), name.encode())
            found.append((type_, body, answer.total, answer.disclosed, answer.headers))
    return found


async def test_a_hidden_record_is_like_none(territory: Territory) -> None:
    await territory.session(9, 9)
    patient, encounter, observation, _ = await _record(territory)
    own = await territory.patient(name=[{"family": "Visible"}])
    await territory.grant(own.patient, 1)
    ids = _ids(territory, patient, encounter, observation)
    hidden = await _trace(territory, _asked(**ids), **ids)
    made_up = {name: MADE_UP[n:] + MADE_UP[:n] for n, name in enumerate(ids)}
    absent = await _trace(territory, _asked(**made_up), **made_up)

    assert hidden == absent
    assert not any(one.key.patient == patient.patient for _, _, _, disclosed, _ in hidden for one in disclosed)


async def test_the_same_questions_find_the_record_for_its_team(territory: Territory) -> None:
    patient, encounter, observation, _ = await _record(territory)
    await territory.grant(patient.patient, 1)
    ids = _ids(territory, patient, encounter, observation)
    for type_, query in _asked(**ids):
        if query != "identifier:not=urn:ins|1" and type_ != "Practitioner":
            assert len((await territory.search(type_, query)).ids) == 1, (type_, query)


async def test_a_class_that_may_not_be_seen_is_not_counted_sorted_or_included(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    visible = await territory.observation(patient, at="2026-01-01")
    hidden = await territory.observation(patient, at="2026-02-01", meta={"security": [{"system": PSY, "code": "PSY"}]})
    report = await territory.add(
        {
            "resourceType": "DiagnosticReport",
            "status": "final",
            "code": {"text": "x"},
            "subject": {"reference": f"Patient/{territory.id(patient)}"},
            "result": [{"reference": f"Observation/{territory.id(one)}"} for one in (visible, hidden)],
        },
        patient,
    )
    for query in ("", "_sort=-date&_count=1", "_sort=code", f"patient={territory.id(patient)}&code=8867-4"):
        found = await territory.search("Observation", f"{query}&_total=accurate")
        assert (found.ids, found.total, found.next) == ([territory.id(visible)], 1, None), query
    included = await territory.search("DiagnosticReport", "_include=DiagnosticReport:result")
    assert (included.ids, included.included) == ([territory.id(report)], [territory.id(visible)])


async def test_references_to_what_is_hidden_behave_as_plain_values(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    for target in (MADE_UP, territory.id(await territory.patient())):
        key = await territory.observation(patient, focus=[{"reference": f"Observation/{target}"}])
        assert (await territory.search("Observation", f"focus=Observation/{target}")).ids == [territory.id(key)]


async def test_an_ended_session_sees_nothing(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    await territory.observation(patient)
    first = await territory.observation(patient)
    page = await territory.search("Observation", "_count=1")
    await territory.database.writing.execute("update access_session set ended_at = now()")
    assert (await territory.search("Observation", page.next_query)).ids == []
    assert (await territory.search("Observation", f"patient={territory.id(patient)}")).ids == []
    assert (await territory.search("Observation", f"_id={territory.id(first)}")).ids == []
    assert (await territory.search("Practitioner", "")).ids == []


class OpenFilter(Filter):
    """The planted fault: a predicate that lets everything through, and a wall that does too."""

    def visible(self, row: str, session: str) -> str:
        return f"{session} is not null"

    def decided(self, row: str, session: str) -> str:
        return f"lateral (select {session} is not null as allowed, null::text as evidence)"

    def covered(self, row: str, held: str, summed: str) -> str:
        return "true"

    def second_wall(self, caller: Any, row: Any, unpermuted: int) -> bool:
        return True


async def test_without_the_predicate_the_stranger_would_see(territory: Territory) -> None:
    patient, *_ = await _record(territory)
    query = f"patient={territory.id(patient)}"
    assert (await territory.search("Observation", query)).ids == []
    async with Store(territory.database, territory.store.vault, OpenFilter(), PlainHooks()) as open_:
        territory.store = open_
        assert len((await territory.search("Observation", query)).ids) == 1


async def test_the_second_wall_stops_what_sql_let_through(territory: Territory) -> None:
    patient, *_ = await _record(territory)

    class HalfOpen(OpenFilter):
        """SQL lets everything through; the wall stands."""

        second_wall = Filter.second_wall

    async with Store(territory.database, territory.store.vault, HalfOpen(), PlainHooks()) as half:
        territory.store = half
        for query in ("", "&_sort=code", "&value-string=secret"):
            found = await territory.search("Observation", f"patient={territory.id(patient)}{query}")
            assert (found.ids, found.answer.disclosed) == ([], ()), query
