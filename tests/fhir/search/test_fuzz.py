"""Any query gets an answer or a FhirError that is the client's: never a failure of ours."""

import random
from urllib.parse import urlencode

from liaison.fhir.definitions import RESOURCE_TYPES, search_parameters
from liaison.fhir.errors import FhirError
from liaison.fhir.store.contract import Key

from .conftest import Territory

PIECES = [
    *(
        "",
        "x",
        "é",
        "\0",
        "\ufffd",
        "|",
        "$",
        ",",
        "\\",
        "\\,",
        "%",
        "_",
        "'",
        '"',
        ";--",
        "{",
        "../..",
        "a" * 5_000,
        "true",
    ),
    *(
        "1",
        "-1",
        "1e400",
        "1e-30",
        "0.000000100",
        "9" * 30,
        "NaN",
        "Infinity",
        "gt",
        "ap",
        "0001",
        "9999",
        "2024-02-29",
    ),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999-14:00", "2024-01-01T10:00", "Patient/1", "urn:uuid:1"),
    *("http://loinc.org|8867-4", "0" * 32, "f" * 32, "https://liaison.test/fhir/Patient/1"),
]
MODIFIERS = [
    "",
    "",
    ":not",
    ":missing",
    ":exact",
    ":contains",
    ":text",
    ":identifier",
    ":Patient",
    ":of-type",
    ":above",
    ":x",
]
PREFIXES = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]


async def test_random_queries_are_answered_or_refused(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    made = random.Random(7)
    await territory.observation(patient, valueQuantity={"value": 1}, effectivePeriod={"start": "0001"})
    await territory.observation(patient, at=None, effectivePeriod={"end": "9999-12-31"}, valueString="\0é")
    answered = 0
    for number in range(1_500):
        type_ = made.choice(["Observation", "Patient", "Practitioner", "Slot", *sorted(RESOURCE_TYPES)])
        codes = [*search_parameters(type_), "_sort", "_count", "_include", "_total", "_summary", "_cursor"]
        pairs = []
        for _ in range(made.choice((1, 1, 2, 3))):
            value = made.choice(PREFIXES) + "".join(made.choice(PIECES) for _ in range(made.choice((1, 1, 2))))
            pairs.append((made.choice(codes) + made.choice(MODIFIERS), value))
        try:
            await territory.search(type_, urlencode(pairs), lenient=bool(number % 3))
            answered += 1
        except FhirError as refused:
            assert refused.status in (400, 410, 422), (type_, pairs, refused)
    assert answered > 500


async def test_the_ends_of_the_calendar_agree_in_sql_and_in_python(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    keys = [
        await territory.observation(patient, at=None, effectivePeriod=period)
        for period in (
            {"start": "0001"},
            {"start": "2024"},
            {"end": "2024"},
            {"end": "9999-12-31"},
            {"start": "9999-12-31"},
        )
    ]
    from liaison.fhir import model
    from liaison.fhir.search import match

    trees = {}
    for key in keys:
        opened = await territory.store.read(territory.caller, key)
        assert opened is not None
        trees[territory.id(key)] = model.read(opened.body)
    for prefix in PREFIXES:
        for text in ("0001", "0001-01-01", "2024", "9999", "9999-12-31", "9999-12-31T23:59:59.999999Z"):
            query = f"date={prefix}{text}"
            found, now = await territory.search("Observation", query), territory.database.clock.now()
            expected = {id_ for id_, tree in trees.items() if match("Observation", tree, query, now=now)}
            assert set(found.ids) == expected, query
            await territory.search("Observation", f"_lastUpdated={prefix}{text}")
