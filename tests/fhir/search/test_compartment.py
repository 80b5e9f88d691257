"""Compartments: membership by R4's parameters and for no other reason; a hidden one is like none."""

import pytest

from liaison.fhir.definitions import COMPARTMENTS, compartment, search_parameters
from liaison.fhir.errors import BadRequest, Gone
from liaison.fhir.store.contract import Key

from .conftest import BASE, PSY, Territory, followed

MADE_UP = "0123456789abcdef" * 2


class Record:
    """Two patients of the caller; in the first's record an encounter, and observations around it."""

    def __init__(self, territory: Territory) -> None:
        self.territory = territory
        self.keys: dict[str, Key] = {}

    def ref(self, name: str, type_: str) -> dict[str, str]:
        return {"reference": f"{type_}/{self.territory.id(self.keys[name])}"}

    def names(self, ids: list[str]) -> set[str]:
        known = {self.territory.id(key): name for name, key in self.keys.items()}
        return {known[id_] for id_ in ids}


async def filled(territory: Territory, patient: Key) -> Record:
    made = Record(territory)
    made.keys["patient"] = patient
    other = made.keys["other"] = await territory.patient()
    await territory.grant(other.patient, 1)
    nurse = {"resourceType": "Practitioner", "name": [{"family": "Petit"}]}
    made.keys["nurse"] = await territory.add(nurse)
    subject = {"subject": made.ref("patient", "Patient")}
    encounter = {"resourceType": "Encounter", "status": "finished", "class": {"code": "HH"}, **subject}
    made.keys["encounter"] = await territory.add(encounter, patient)
    made.keys["in encounter"] = await territory.observation(patient, encounter=made.ref("encounter", "Encounter"))
    made.keys["by nurse"] = await territory.observation(patient, performer=[made.ref("nurse", "Practitioner")])
    made.keys["about other"] = await territory.observation(other)
    made.keys["by patient"] = await territory.observation(other, performer=[made.ref("patient", "Patient")])
    made.keys["mentions"] = await territory.observation(other, focus=[made.ref("patient", "Patient")])
    return made


@pytest.fixture
async def record(team: tuple[Territory, Key]) -> Record:
    return await filled(*team)


@pytest.fixture(scope="module")
async def read_record(read_territory: Territory) -> Record:
    return await filled(*await followed(read_territory))


ALL = {"patient", "encounter", "in encounter", "by nurse", "by patient"}


@pytest.mark.parametrize(
    ("owner", "type_", "query", "wanted"),
    [
        ("patient", "Observation", "", {"in encounter", "by nurse", "by patient"}),
        ("patient", "Observation", "code=8867-4", {"in encounter", "by nurse", "by patient"}),
        ("patient", "Observation", "code=nothing", set()),
        ("patient", "Observation", "code:text=nothing", set()),
        ("patient", "Encounter", "", {"encounter"}),
        ("patient", "Patient", "", {"patient"}),
        ("patient", "", "", ALL),
        ("patient", "", "_type=Encounter,Observation", ALL - {"patient"}),
        ("patient", "", "_type=Encounter,Observation&patient={other}", {"by patient"}),
        ("other", "", "", {"other", "about other", "by patient", "mentions"}),
        ("encounter", "", "", {"encounter", "in encounter"}),
        ("encounter", "Observation", "", {"in encounter"}),
        ("nurse", "Observation", "", {"by nurse"}),
        ("nurse", "", "", {"nurse", "by nurse"}),
    ],
)
async def test_a_member_is_what_a_parameter_of_r4_says(
    read_record: Record, owner: str, type_: str, query: str, wanted: set[str]
) -> None:
    kind = {"patient": "Patient", "other": "Patient", "encounter": "Encounter", "nurse": "Practitioner"}[owner]
    path = f"{kind}/{read_record.territory.id(read_record.keys[owner])}"
    query = query.format(other=read_record.territory.id(read_record.keys["other"]))
    found = await read_record.territory.search(type_, query, compartment=path)
    assert read_record.names(found.ids) == wanted
    assert (found.total, len(found.ids)) == (len(wanted), len(wanted)), "each is there once"
    assert found.self_.partition("?")[0] == f"{BASE}/{path}/{type_ or '*'}"
    for sort in ("", "_sort=-_lastUpdated", "_sort=_id"):
        pages = await read_record.territory.search(type_, f"{query}&_count=2&_total=accurate&{sort}", compartment=path)
        seen = list(pages.ids)
        assert pages.total == len(wanted)
        while pages.next:
            pages = await read_record.territory.search(type_, pages.next_query, compartment=path)
            seen += pages.ids
        assert read_record.names(seen) == wanted and len(seen) == len(wanted), sort
    counted = await read_record.territory.search(type_, f"{query}&_summary=count", compartment=path)
    assert counted.total == len(wanted)


@pytest.mark.parametrize(("began", "continued"), [("patient", "other"), ("patient", ""), ("", "patient")])
async def test_a_page_of_one_compartment_continues_no_other(read_record: Record, began: str, continued: str) -> None:
    began, continued = (read_record.ref(one, "Patient")["reference"] if one else "" for one in (began, continued))
    first = await read_record.territory.search("Observation", "_count=1", compartment=began)

    with pytest.raises(Gone):
        await read_record.territory.search("Observation", first.next_query, compartment=continued)


async def test_the_compartment_of_what_is_hidden_is_like_that_of_nothing(record: Record) -> None:
    territory = record.territory
    stranger = await territory.session(2, 2)
    await territory.grant(record.keys["other"].patient, 2)
    hidden = {
        "Patient": await territory.patient(),
        "Encounter": record.keys["encounter"],
        "RelatedPerson": await territory.add(
            {"resourceType": "RelatedPerson", "patient": record.ref("patient", "Patient")}, record.keys["patient"]
        ),
    }
    await territory.observation(
        record.keys["other"], performer=[{"reference": f"Patient/{territory.id(hidden['Patient'])}"}]
    )
    traces: dict[bool, list[bytes]] = {True: [], False: []}
    for type_, key in {**hidden, "Patient/": record.keys["patient"]}.items():
        owner = type_.rstrip("/")
        for there in (True, False):
            id_ = territory.id(key) if there else MADE_UP
            for within in ("Observation", ""):
                for query in ("", "_total=accurate", "_summary=count", "_sort=_id", "_lastUpdated=ge2000"):
                    answer = await territory.search(within, query, stranger, compartment=f"{owner}/{id_}")
                    assert answer.answer.disclosed == ()
                    traces[there].append(answer.answer.body.replace(id_.encode(), b"id"))
    assert traces[True] == traces[False]


async def test_the_fault_would_be_seen(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling of the test above: without the look at the compartment's own resource, what is visible leaks it."""
    from liaison.fhir.search.run import Run

    territory = record.territory
    stranger = await territory.session(2, 2)
    await territory.grant(record.keys["other"].patient, 2)
    path = f"Patient/{territory.id(record.keys['patient'])}"
    assert (await territory.search("Observation", "", stranger, compartment=path)).ids == []

    real = Run.rows

    async def seen(self: Run, keys: list[Key]) -> object:
        return [object()] if keys == [record.keys["patient"]] else await real(self, keys)

    monkeypatch.setattr(Run, "rows", seen)
    found = await territory.search("Observation", "", stranger, compartment=path)
    assert record.names(found.ids) == {"by patient"}


async def test_a_hidden_class_is_in_no_compartment(record: Record) -> None:
    territory = record.territory
    await territory.observation(
        record.keys["patient"],
        encounter=record.ref("encounter", "Encounter"),
        meta={"security": [{"system": PSY, "code": "PSY"}]},
    )
    path = f"Encounter/{territory.id(record.keys['encounter'])}"
    found = await territory.search("Observation", "_total=accurate", compartment=path)
    assert (record.names(found.ids), found.total) == ({"in encounter"}, 1)


@pytest.mark.parametrize(
    ("type_", "query", "named"),
    [
        ("Organization", "", "Organization"),
        ("", "_type=Observation,Organization", "Organization"),
        ("Observation", "nothing=x", "nothing"),
        ("", "nothing=x", "nothing"),
        ("", "code=x", "code"),
    ],
)
async def test_what_is_not_in_it_or_not_known_is_named(read_record: Record, type_: str, query: str, named: str) -> None:
    path = f"Patient/{read_record.territory.id(read_record.keys['patient'])}"
    with pytest.raises(BadRequest, match=named):
        await read_record.territory.search(type_, query, compartment=path)


def test_every_parameter_of_a_compartment_is_a_reference_that_may_name_it() -> None:
    assert {"Device", "Encounter", "Patient", "Practitioner", "RelatedPerson"} == COMPARTMENTS
    for owner in COMPARTMENTS:
        assert owner in compartment(owner)
        for type_, codes in compartment(owner).items():
            for code in codes:
                parameter = search_parameters(type_)[code]
                assert parameter.type == "reference" and (not parameter.target or owner in parameter.target)
    assert compartment("Patient")["Observation"] == ("subject", "performer")
    assert "Organization" not in compartment("Patient")
