"""What a value means, type by type, without a database."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import RESOURCE_TYPES, search_parameters
from liaison.fhir.errors import BadRequest
from liaison.fhir.model.values import DateRange, Number, Quantity, Reference, Text, Token, Uri, Value
from liaison.fhir.search import date
from liaison.fhir.search.conditions import Tokens
from liaison.fhir.search.criteria import Context, Facts
from liaison.fhir.search.decide import holds
from liaison.fhir.search.elements import data_types, implied
from liaison.fhir.search.folding import folded
from liaison.fhir.search.kinds import TYPES, kind_for
from liaison.fhir.search.parse import criterion

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BASE = "https://x/fhir"


def decided(type_: str, asked: str, text: str, *values: Value) -> bool:
    """Whether a resource with these values meets `asked=text`; token and evaluation must say the same."""
    one = criterion(asked, text, Context(type_, BASE, NOW))
    found = holds(one, Facts(type_, "x", NOW, {one.parameter.number: list(values)} if values else {}))
    condition = kind_for(one).narrow(one) if one.modifier != "missing" else None
    if isinstance(condition, Tokens):
        tokens = {written for value in values for written in TYPES[one.parameter.type].index(value)}
        assert found == (tokens.isdisjoint(condition.values) == condition.negated)
    return found


CODED = Token("http://loinc.org", "8867-4", "Heart rate")
BARE = Token("", "final")
TYPED = Token("urn:x", "1|2", "", (("http://t", "MR"),))


@pytest.mark.parametrize(
    ("asked", "text", "value", "expected"),
    [
        ("code", "8867-4", CODED, True),
        ("code", "8867-4,x", CODED, True),
        ("code", "8867-5", CODED, False),
        ("code", "HTTP://LOINC.ORG|8867-4", CODED, False),
        ("code", "http://loinc.org|", CODED, True),
        ("code", "http://loinc.or|g8867-4", CODED, False),
        ("code", "|8867-4", CODED, False),
        ("code", "|final", BARE, True),
        ("code", "final", BARE, True),
        ("code:not", "final", BARE, False),
        ("code:not", "x", BARE, True),
        ("code:text", "heart", CODED, True),
        ("code:text", "rate", CODED, False),
        ("code:text", "x", Token(text="Xyz"), True),
        ("identifier:of-type", r"http://t|MR|1\|2", TYPED, True),
        ("identifier:of-type", r"http://t|MR|1", TYPED, False),
        ("code:missing", "true", CODED, False),
        ("code:text", "HEART, rate", CODED, True),
        ("code", "http://loinc.org|8867-4,x|y", CODED, True),
        ("identifier", "|urn:x,1\\|2", TYPED, True),
        ("identifier:text", "dossier", Token("urn:x", "1", "Dossier médical"), True),
    ],
)
def test_tokens(asked: str, text: str, value: Token, expected: bool) -> None:
    assert decided("Observation", asked, text, value) is expected


STATUS = "http://hl7.org/fhir/observation-status"


@pytest.mark.parametrize(
    ("type_", "asked", "text", "held", "expected"),
    [
        ("Observation", "status", f"{STATUS}|final", "final", True),
        ("Observation", "status", f"{STATUS}|amended", "final", False),
        ("Observation", "status", f"{STATUS}|nonsense", "final", False),
        ("Observation", "status", f"{STATUS}|", "final", True),
        ("Observation", "status", "|final", "final", True),
        ("Observation", "status", "final", "final", True),
        ("Observation", "status", "http://hl7.org/fhir/event-status|final", "final", False),
        ("Observation", "status", "http://hl7.org/fhir/event-status|", "final", False),
        ("Observation", "status:not", f"{STATUS}|final", "final", False),
        ("Observation", "status:not", f"{STATUS}|final", "amended", True),
        ("Observation", "status:not", "http://x|final", "final", True),
        ("Patient", "gender", "http://hl7.org/fhir/administrative-gender|female", "female", True),
        ("Task", "intent", "http://hl7.org/fhir/request-intent|order", "order", True),
        ("Task", "intent", "http://hl7.org/fhir/task-intent|unknown", "unknown", True),
        ("Task", "intent", "http://hl7.org/fhir/task-intent|order", "order", False),
        ("DocumentReference", "contenttype", "urn:ietf:bcp:13|text/xml", "text/xml", True),
        ("DocumentReference", "language", "urn:ietf:bcp:47|fr-FR", "fr-FR", True),
        ("DocumentReference", "language", "urn:ietf:bcp:13|fr-FR", "fr-FR", False),
        ("ValueSet", "version", "1.0-Beta", "1.0-beta", True),
        ("Patient", "active", "true", "true", True),
        ("Patient", "active", "false", "true", False),
    ],
)
def test_codes_have_the_system_of_their_binding(type_: str, asked: str, text: str, held: str, expected: bool) -> None:
    assert decided(type_, asked, text, Token("", held)) is expected


def test_not_is_met_by_absent_elements() -> None:
    assert decided("Patient", "gender:not", "male")
    assert decided("Observation", "category:not", "vital-signs")
    assert not decided("Patient", "gender", "male")


@pytest.mark.parametrize(
    ("type_", "asked", "text"),
    [
        ("Patient", "phone", "phone|0601020304"),
        ("Patient", "phone", "|0601020304"),
        ("Patient", "active", "http://hl7.org/fhir/special-values|true"),
        ("Patient", "active", "yes"),
        ("Patient", "active", "TRUE"),
        ("ValueSet", "version", "x|1"),
        ("DocumentReference", "contenttype", "urn:ietf:bcp:13|"),
    ],
)
def test_tokens_without_a_system_are_refused_one(type_: str, asked: str, text: str) -> None:
    with pytest.raises(BadRequest):
        decided(type_, asked, text)


def test_every_code_of_r4_has_the_system_of_its_required_binding() -> None:
    """Those of no binding, or of several systems, by name."""
    systems = {
        f"{type_}.{code}": len(implied(parameter, type_))
        for type_ in RESOURCE_TYPES
        for code, parameter in search_parameters(type_).items()
        if data_types(parameter, type_) == {"code"}
    }
    assert {name for name, count in systems.items() if count == 0} == {
        "CodeSystem.code",
        "ConceptMap.source-code",
        "ConceptMap.target-code",
        "OperationDefinition.code",
        "SearchParameter.code",
        "ValueSet.code",
    }
    assert {name for name, count in systems.items() if count > 1} == {"Task.intent"}


@pytest.mark.parametrize(
    ("asked", "text", "held", "expected"),
    [
        ("family", "eve", "Eve", True),
        ("family", "ÉVE", "Evelyne", True),
        ("family", "eve", "Severine", False),
        ("family:contains", "eve", "Severine", True),
        ("family:exact", "Eve", "Eve", True),
        ("family:exact", "Eve", "Evelyn", False),
        ("family:exact", "\u00c9ve", "E\u0301ve", True),
        ("family", "d’arc", "D'Arc", True),
        ("family", "d arc", "D'Arc", True),
        ("family", "strasse", "Straße", True),
        ("family", "darc", "D'Arc", True),
        ("family", "d'arc", "DArc", True),
        ("family", "saintexupery", "Saint-Exupéry", True),
        ("family", "saint  exupery", "Saint-Exupéry", True),
        ("family", "coeur", "Cœur", True),
        ("family", "Œuf", "oeufs", True),
        ("family", "finistere", "ﬁnistère", True),
        ("family", "quinones", "Carreno Quiñones", True),
        ("family", "inones", "Carreno Quiñones", False),
        ("name", "exupery", "Saint-Exupéry", True),
        ("address-city", "malo", "Saint-Malo", False),
        ("address-city", "SAINT MALO", "Saint-Malo", True),
        ("address-city:contains", "malo", "Saint-Malo", True),
        ("given:contains", "anpau", "Jean-Paul", True),
        ("given:text", "pauline OR paul", "Jean-Paul", True),
        ("family:text", "quinones and carreno", "Carreno Quiñones", True),
        ("family:text", "quin", "Carreno Quiñones", False),
        ("family:text", '"Quinones Carreno"', "Carreno Quiñones", False),
        ("family:text", "carreno not quinones", "Carreno Quiñones", False),
        ("family:text", "d'arc", "de D’Arc", True),
        ("given", "lef\\,b", "Lef,B", True),
        ("family:exact", "Quinones", "Carreno Quinones", False),
        ("family:exact", "a\\,b\\|c\\$d\\\\", "a,b|c$d\\", True),
        ("name", "x,eve", "Eve", True),
    ],
)
def test_strings(asked: str, text: str, held: str, expected: bool) -> None:
    assert decided("Patient", asked, text, Text(held)) is expected


@given(st.text(), st.text(max_size=5))
def test_folding_is_stable_and_keeps_prefixes(text: str, more: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(f"{text} {more}").startswith(folded(text))


def _range(low: str | None, high: str | None) -> DateRange:
    return DateRange(
        datetime.fromisoformat(low) if low else None,
        datetime.fromisoformat(high) if high else None,
    )


MAY = _range("2024-05-01T00:00:00+02:00", "2024-06-01T00:00:00+02:00")
DAY = _range("2024-05-17T00:00:00+02:00", "2024-05-18T00:00:00+02:00")
OPEN = _range("2024-05-17T00:00:00+02:00", None)
UNTIL = _range(None, "2024-05-18T00:00:00+02:00")


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("2024-05", DAY, True),
        ("2024-05-17", MAY, False),
        ("2024-05", MAY, True),
        ("ne2024-05", DAY, False),
        ("ne2024-05-17", MAY, True),
        ("gt2024-05-17", MAY, True),
        ("gt2024-05", DAY, False),
        ("ge2024-05", DAY, True),
        ("lt2024-05-17", MAY, True),
        ("lt2024-05", DAY, False),
        ("le2024-05", DAY, True),
        ("sa2024-05-16", DAY, True),
        ("sa2024-05-17", DAY, False),
        ("eb2024-05-18", DAY, True),
        ("eb2024-05-17", DAY, False),
        ("ge2999", OPEN, True),
        ("2024", OPEN, False),
        ("lt1900", UNTIL, True),
        ("2024", UNTIL, False),
        ("sa1900", UNTIL, False),
        ("2024-05-16T22:00:00Z", DAY, False),
        ("ap2024-06", DAY, True),
        ("ap2019", DAY, False),
        ("ge0001", DAY, True),
        ("lt9999", DAY, True),
        ("9999-12-31", DAY, False),
        ("ap9999", DAY, False),
    ],
)
def test_dates(text: str, value: DateRange, expected: bool) -> None:
    assert decided("Observation", "date", text, value) is expected


@given(st.sampled_from(["gt", "lt", "ge", "le", "sa", "eb", "eq", "ne"]), st.dates(), st.dates(), st.integers(0, 400))
def test_prefixes_relate_to_each_other_as_r4_says(prefix: str, asked: datetime, start: datetime, days: int) -> None:
    from datetime import timedelta

    low = datetime(start.year, start.month, start.day, tzinfo=UTC)
    if low.year > 9000:
        return
    value = DateRange(low, low + timedelta(days=days + 1))

    def holds_(one: str) -> bool:
        return decided("Observation", "date", f"{one}{asked.isoformat()}", value)

    assert holds_("ne") is not holds_("eq")
    assert holds_("ge") is (holds_("gt") or holds_("eq"))
    assert holds_("le") is (holds_("lt") or holds_("eq"))
    assert not holds_("sa") or holds_("gt")
    assert not holds_("eb") or holds_("lt")


@pytest.mark.parametrize(
    ("text", "low", "high", "expected"),
    [
        ("100", "99.5", "99.5", True),
        ("100", "100.5", "100.5", False),
        ("100.0", "100.04", "100.04", True),
        ("1e2", "104", "104", True),
        ("1e2", "95", "95", True),
        ("1e2", "105", "105", False),
        ("1e2", "94.9", "94.9", False),
        ("1.0e2", "95", "95", True),
        ("1.00e2", "99.4", "99.4", False),
        ("1.00e2", "99.5", "99.5", True),
        ("5.40e-3", "0.005405", "0.005405", False),
        ("5.40e-3", "0.005395", "0.005395", True),
        ("100.00", "99.995", "99.995", True),
        ("100.00", "100.005", "100.005", False),
        ("ge100", "99.9", "99.9", False),
        ("lt100", "99.9", "99.9", True),
        ("eb100", "99.9", "99.9", True),
        ("sa100", "100", "100", False),
        ("0", "0.4", "0.4", True),
        ("2.5", "2", "2", False),
        ("5.40", "5.404", "5.404", True),
        ("ne100", "100", "100", False),
        ("gt100", "100", "100", False),
        ("gt100", "100.01", "100.01", True),
        ("le100", "100", "100", True),
        ("gt100", "50", None, True),
        ("lt100", "50", None, True),
        ("sa100", "50", None, False),
        ("eb100", None, "99", True),
        ("100", "50", None, False),
        ("ap100", "109", "109", True),
        ("ap100", "111", "111", False),
        ("-5", "-5.2", "-5.2", True),
    ],
)
def test_numbers(text: str, low: str | None, high: str | None, expected: bool) -> None:
    ends = (None if low is None else Decimal(low), None if high is None else Decimal(high))
    assert decided("RiskAssessment", "probability", text, Number(*ends)) is expected
    assert decided("Observation", "value-quantity", text, Quantity(*ends)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Practitioner/1", True),
        ("1", True),
        (f"{BASE}/Practitioner/1", True),
        ("Practitioner/1/_history/2", False),
        ("Organization/1", False),
        ("https://y/Practitioner/1", False),
        ("Practitioner/2", False),
    ],
)
def test_references(text: str, expected: bool) -> None:
    assert decided("Observation", "performer", text, Reference("Practitioner", "1")) is expected
    url = f"{BASE}/Practitioner/1"
    assert decided("Observation", "performer", text, Reference("Practitioner", "1", url)) is expected


def test_other_references() -> None:
    elsewhere = Reference("Practitioner", "1", "https://y/Practitioner/1")
    assert decided("Observation", "performer", "https://y/Practitioner/1", elsewhere)
    assert not decided("Observation", "performer", "Practitioner/1", elsewhere)
    canonical = Reference(url="http://x/Questionnaire/q", version="1")
    for text, expected in (
        ("http://x/Questionnaire/q", True),
        ("http://x/Questionnaire/q|1", True),
        ("http://x/Questionnaire/q|2", False),
    ):
        asked = text.replace("|", "\\|")
        assert decided("QuestionnaireResponse", "questionnaire", asked, canonical) is expected
        assert decided("QuestionnaireResponse", "questionnaire", text, canonical) is expected
    logical = Reference(system="urn:rpps", value="7")
    assert decided("Observation", "performer:identifier", "urn:rpps|7", logical)
    assert not decided("Observation", "performer:identifier", "urn:rpps|8", logical)
    assert not decided("Observation", "performer", "7", logical)


def test_uris() -> None:
    value = Uri("http://x/a/b")
    assert decided("ValueSet", "url", "http://x/a/b", value)
    assert not decided("ValueSet", "url", "http://x/a", value)
    assert decided("ValueSet", "url:below", "http://x/a", value)
    assert not decided("ValueSet", "url:below", "http://x/a/", Uri("http://x/ab"))
    assert decided("ValueSet", "url:above", "http://x/a/b/c", value)
    assert not decided("ValueSet", "url:below", "urn:a", Uri("urn:a:b"))


def test_canonicals_are_found_with_their_version_and_without() -> None:
    profile = Uri("http://x/p|2.1")
    assert decided("Observation", "_profile", "http://x/p", profile)
    assert decided("Observation", "_profile", "http://x/p|2.1", profile)
    assert decided("Observation", "_profile", r"http://x/p\|2.1", profile)
    assert not decided("Observation", "_profile", "http://x/p|2", profile)
    assert decided("Observation", "_profile:below", "http://x", profile)
    own = Uri("http://x/v", "1.0")
    assert decided("ValueSet", "url", "http://x/v", own)
    assert decided("ValueSet", "url", "http://x/v|1.0", own)
    assert not decided("ValueSet", "url", "http://x/v|2.0", own)
    assert decided("ValueSet", "url", "urn:oid:1.2.3", Uri("urn:oid:1.2.3"))
    assert not decided("ValueSet", "url", "URN:OID:1.2.3", Uri("urn:oid:1.2.3"))
    assert not decided("ValueSet", "url:above", "urn:oid:1.2.3.4", Uri("urn:oid:1.2.3"))
    for text, expected in (
        ("http://x/q", True),
        ("http://x/q|1", True),
        ("http://x/q|1.1", True),
        ("http://x/q|2", False),
    ):
        held = Reference(url="http://x/q", version="1.1")
        assert decided("QuestionnaireResponse", "questionnaire:below", text, held) is expected
    assert not decided(
        "QuestionnaireResponse", "questionnaire:below", "http://x/q|1", Reference(url="http://x/q", version="10")
    )
    for asked in ("questionnaire:above", "questionnaire:identifier"):
        with pytest.raises(BadRequest):
            decided("QuestionnaireResponse", asked, "http://x/q", held)


def test_dates_beyond_the_calendar_do_not_overflow() -> None:
    for prefix in ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"):
        for text in ("0001", "0001-01-01", "9999", "9999-12", "9999-12-31", "9999-12-31T23:59:59Z"):
            date.operand(
                f"{prefix}{text}", "", search_parameters("Observation")["date"], Context("Observation", BASE, NOW)
            )
