"""_filter: the grammar, what each operator means, where it is decided, and that it shows nothing hidden."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.errors import BadRequest
from liaison.fhir.search import filter as grammar
from liaison.fhir.search.filter import Both, Step, Test, read
from liaison.fhir.store.contract import Key

from .conftest import PSY, Territory
from .test_searching import OTHER, VITAL


def test(name: str, operator: str, value: str, at: int = 1) -> Test:
    return Test((Step(name),), operator, value, at)


test.__test__ = False  # type: ignore[attr-defined]  # a helper, no test of its own
Test.__test__ = False  # type: ignore[attr-defined]  # a node of the grammar, no class of tests


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name eq peter", test("name", "eq", "peter")),
        ('  name   co  "a) \\"b\\" \\u00e9]"  ', test("name", "co", 'a) "b" é]', 3)),
        ("code eq http://loinc.org|1234-5", test("code", "eq", "http://loinc.org|1234-5")),
        ("(a eq 1)", test("a", "eq", "1", 2)),
        ("not (a eq 1)", Both("not", (test("a", "eq", "1", 6),))),
        ("not(a eq 1)", Both("not", (test("a", "eq", "1", 5),))),
        ("not eq 1", test("not", "eq", "1")),
        (
            "a eq 1 and b eq 2 or c eq 3",
            Both("or", (Both("and", (test("a", "eq", "1"), test("b", "eq", "2", 12))), test("c", "eq", "3", 22))),
        ),
        (
            "a eq 1 or (b eq 2 and c eq 3)",
            Both("or", (test("a", "eq", "1"), Both("and", (test("b", "eq", "2", 12), test("c", "eq", "3", 23))))),
        ),
        ('a eq "1"and(b eq 2)', Both("and", (test("a", "eq", "1"), test("b", "eq", "2", 13)))),
        ("subject.name co x", Test((Step("subject"), Step("name")), "co", "x", 1)),
        ("subject:Patient.name co x", Test((Step("subject", "Patient"), Step("name")), "co", "x", 1)),
        (
            "related[type eq has-component].target pr true",
            Test((Step("related", "", test("type", "eq", "has-component", 9)), Step("target")), "pr", "true", 1),
        ),
    ],
)
def test_a_filter_is_read(text: str, tree: grammar.Node) -> None:
    assert read(text) == tree


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("name", 5),
        ("name xx 1", 6),
        ("name eq", 8),
        ("name eq ", 9),
        ("(name eq 1", 11),
        ("name eq 1)", 10),
        ("name eq 1 and", 14),
        ("name eq 1 and ", 15),
        ("name eq 1 xor b eq 2", 11),
        ('name eq "x', 11),
        ('name eq "\\x"', 9),
        ('name eq "\\ud800"', 9),
        ("name[a eq 1] eq 2", 13),
        ("name[a eq 1.b eq 2", 15),
        ("a..b eq 1", 3),
        ("1 eq 1", 1),
        ("not (a eq 1", 12),
    ],
)
def test_what_is_no_filter_is_refused_where_it_stops_being_one(text: str, at: int) -> None:
    with pytest.raises(BadRequest, match=f"At character {at} of the filter"):
        read(text)


def test_a_filter_is_of_bounded_depth_and_length() -> None:
    assert read("(" * grammar.DEEPEST + "a eq 1" + ")" * grammar.DEEPEST)
    with pytest.raises(BadRequest, match="nested"):
        read("(" * 5_000 + "a eq 1" + ")" * 5_000)
    with pytest.raises(BadRequest, match="tests"):
        read(" and ".join(["a eq 1"] * (grammar.MOST_TESTS + 1)))


@given(st.text(alphabet='ab ().[]":\\eqandnot1é\0', max_size=40))
def test_any_text_is_a_filter_or_refused(text: str) -> None:
    try:
        read(text)
    except BadRequest as error:
        assert error.issues[0].diagnostics


CASES = [
    # token
    ("code eq 8867-4", "V"),
    ('code eq "http://loinc.org|8867-4"', "V"),
    ("code eq http://loinc.org|", "V"),
    ("code eq 8867-4,x", ""),
    ("code eq loinc|8867-4", "V"),
    ("code eq LOINC|", "V"),
    ("code eq snomed|8867-4", ""),
    ("code ne loinc|8867-4", ""),
    ("identifier eq urn:a|loinc\\|2", ""),
    ("status ne final", "O"),
    ("code ne 8867-4", ""),
    ("code ne x", "V"),
    ("status co inal", "V"),
    ("status sw PRE", "O"),
    ("status ew ary", "O"),
    ("code pr true", "VO"),
    ("category pr false", "O"),
    ("category pr true", "V"),
    # date
    ("date eq 2026-01-05", "V"),
    ("date ne 2026-01-05", "O"),
    ("date gt 2025-07", "VO"),
    ("date lt 2025-07-01", "O"),
    ("date ge 2026", "V"),
    ("date le 2026-01-05", "VO"),
    ("date sa 2025-07", "V"),
    ("date eb 2025-07-01", ""),
    ("date eb 2026-01-05", "O"),
    ("date ap 2026-01-06", "V"),
    ("date po 2025-08-15", "O"),
    ("date po 2025-07", "O"),
    ("date po 2025-09", ""),
    ("date po 2026", "V"),
    ("date co 2025-07", "O"),
    ("date co 2025-05", ""),
    ("date co 2026-01-05T10:00:00+01:00", "V"),
    ("date co 2026-01-05", ""),
    ("_lastUpdated co 2026", ""),
    ("_lastUpdated po 2026", "VO"),
    ("_lastUpdated gt 2100", ""),
    # quantity, string, composite, reference
    ("value-quantity gt 70", "V"),
    ("value-quantity ne 72", ""),
    ("value-quantity eq 72||battements", "V"),
    ('value-string eq "elan VITAL"', "O"),
    ("value-string eq elan", ""),
    ("value-string ne elan", "O"),
    ("value-string co lan", "O"),
    ("value-string sw elan", "O"),
    ("value-string ew vital", "O"),
    ("value-string gt a", "O"),
    ("value-string lt a", ""),
    ("value-quantity eq 72|ucum|/min", "V"),
    ("value-quantity eq 72|loinc|/min", ""),
    ("code-value-quantity eq 8867-4$ge70", "V"),
    ("code-value-quantity eq loinc|8867-4$72|ucum|/min", "V"),
    ("subject re Patient/{patient}", "VO"),
    ("subject eq {patient}", "VO"),
    ("subject ne Patient/x", "VO"),
    ("subject ne Patient/{patient}", ""),
    ("encounter pr false", "VO"),
    ("_id eq {V}", "V"),
    ("_id ne {V}", "O"),
    ("_content co elan", "O"),
    # and, or, not
    ("status eq final and code eq 8867-4", "V"),
    ("status eq final and code eq x", ""),
    ("status eq final or status eq preliminary", "VO"),
    ("status eq nothing or value-string co vital", "O"),
    ("not (status eq final)", "O"),
    ("not (value-string co vital)", "V"),
    ("not (status eq final or value-string co vital)", ""),
    ("not (status eq final and value-string co vital)", "VO"),
    ("status eq final or status eq x and code eq x", ""),
    ("status eq final or (status eq x and code eq x)", "V"),
    ("(date lt 2026 and not (category pr true)) or code eq x", "O"),
]


@pytest.fixture
async def pair(team: tuple[Territory, Key]) -> tuple[Territory, Key, dict[str, str]]:
    territory, patient = team
    subject: dict[str, Any] = {"subject": {"reference": f"Patient/{territory.id(patient)}"}}
    made = {}
    for name, tree in (("V", VITAL), ("O", OTHER)):
        key = await territory.add({"resourceType": "Observation", "status": "final", **subject, **tree}, patient)
        made[territory.id(key)] = name
    return territory, patient, made


async def test_each_operator_finds_what_it_says_of_one_patient_or_of_all(
    pair: tuple[Territory, Key, dict[str, str]],
) -> None:
    territory, patient, names = pair
    other = await territory.patient()
    await territory.grant(other.patient, 1)
    ids = {name: id_ for id_, name in names.items()}
    for text, wanted in CASES:
        query = "_filter=" + quote(text.format(patient=territory.id(patient), V=ids["V"]))
        for more in ("", f"&patient={territory.id(patient)}", "&_sort=status", "&_total=accurate"):
            found = await territory.search("Observation", query + more)
            assert {names[id_] for id_ in found.ids} == set(wanted), (text, more)
            assert found.total == len(wanted), (text, more)
        counted = await territory.search("Observation", f"{query}&_summary=count")
        assert counted.total == len(wanted), text
    narrowed = await territory.search("Observation", "status=final&_filter=" + quote("date pr true"))
    assert {names[id_] for id_ in narrowed.ids} == {"V"}, "a filter is one criterion among the others"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nothing eq 1", "character 1 of the filter: 'nothing'"),
        ("status eq final and (nothing eq 1)", "character 22 of the filter"),
        ("date ew 1", "cannot be compared by 'ew'"),
        ("date co 1", "not a date"),
        ("date po gt2026", "not a date"),
        ("code gt 1", "cannot be compared by 'gt'"),
        ("code pr maybe", "true or false"),
        ("date gt yesterday", "not a date"),
        ("_text eq x", "cannot be compared by 'eq'"),
        ("status eq final and", "character 20"),
    ],
)
async def test_a_test_that_means_nothing_is_refused_where_it_stands(
    team: tuple[Territory, Key], text: str, said: str
) -> None:
    territory, _ = team
    with pytest.raises(BadRequest, match=said):
        await territory.search("Observation", "_filter=" + quote(text))


async def test_a_filter_sees_what_its_caller_sees(team: tuple[Territory, Key]) -> None:
    territory, patient = team
    visible = await territory.observation(patient)
    await territory.observation(patient, code="1", meta={"security": [{"system": PSY, "code": "PSY"}]})
    for text in ("not (code eq x)", "code pr true", "not (value-string co x)", "code eq 1 or status eq final"):
        query = f"_filter={quote(text)}&_total=accurate"
        found = await territory.search("Observation", query)
        assert (found.ids, found.total) == ([territory.id(visible)], 1), text
        stranger = await territory.session(hash(text) % 100_000 + 10, 77)
        assert (await territory.search("Observation", query, stranger)).total == 0


async def test_terminology_is_asked_within_a_filter_too(pair: tuple[Territory, Key, dict[str, str]]) -> None:
    territory, _, names = pair
    concepts = [{"system": "http://loinc.org", "concept": [{"code": "8867-4"}]}]
    url = "https://liaison.test/rates"
    await territory.add({"resourceType": "ValueSet", "url": url, "status": "active", "compose": {"include": concepts}})
    for text, wanted in (
        (f"code in {url}", "V"),
        (f"code ni {url}", "O"),
        (f"not (code in {url})", "O"),
        (f"value-string co vital or code in {url}", "VO"),
        (f"status eq x or (code in {url} and status eq final)", "V"),
    ):
        found = await territory.search("Observation", f"_filter={quote(text)}")
        assert {names[id_] for id_ in found.ids} == set(wanted), text
    with pytest.raises(BadRequest, match="in"):
        await territory.search("Observation", f"_filter={quote('status eq x or code in https://liaison.test/none')}")
