"""Reading a query: nothing is skipped in silence."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.fhir.definitions import RESOURCE_TYPES, search_parameters
from liaison.fhir.errors import BadRequest
from liaison.fhir.search import supported
from liaison.fhir.search.criteria import Context, Query
from liaison.fhir.search.escapes import split, unescape
from liaison.fhir.search.parse import pairs, parse
from liaison.fhir.search.searchset import url

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


def read(query: str, type_: str = "Observation", *, lenient: bool = False) -> Query:
    return parse(pairs(query), Context(type_, "https://x/fhir", NOW), lenient=lenient)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("nonsense=1", "nonsense"),
        ("family=x", "family"),
        ("code:exact=x", ":exact"),
        ("code:in", "code:in"),
        ("identifier:in=http://x", ":in"),
        ("identifier:below=http://x|1", ":below"),
        ("code:below=1", ":below"),
        ("code:above=|1", ":above"),
        ("code:nonsense=x", ":nonsense"),
        ("code:=x", "code:"),
        ("_has:Observation:has-member:code:=x", "code:"),
        ("subject:Practitioner=1", ":Practitioner"),
        ("subject:Patient=Group/1", "Patient"),
        ("code=", "code"),
        ("code=a,,b", "code"),
        ("code=|", "code"),
        ("code=a|b|c", "code"),
        (r"code=a\b", "backslash"),
        ("code:missing=maybe", "code:missing"),
        ("date=yesterday", "date"),
        ("date=2024-13", "date"),
        ("date=2024-02-30", "date"),
        ("date=xx2024", "date"),
        ("date=2024-01-01T25:00Z", "date"),
        ("value-quantity=five", "value-quantity"),
        ("value-quantity=5|x", "value-quantity"),
        ("code-value-quantity=8867-4", "code-value-quantity"),
        ("code-value-quantity:missing=true", ":missing"),
        ("code-value-quantity:exact=8867-4$5", ":exact"),
        ("value-quantity:above=5", ":above"),
        ("date:below=2024", ":below"),
        ("code:of-type=a|b|c", ":of-type"),
        ("status:of-type=a|b|c", ":of-type"),
        ("identifier:of-type=a|b", ":of-type"),
        ("identifier:of-type=a|b|", ":of-type"),
        ("value-string:below=x", ":below"),
        ("subject:below=Patient/x", ":below"),
        ("performer:above=Practitioner/x", ":above"),
        ("subject:recurse=x", ":recurse"),
        ("subject=Foo/1", "subject"),
        ("patient=Patient/" + "a" * 65, "patient"),
        ("patient=%00", "patient"),
        ("subject:Patient=a b", "subject:Patient"),
        ("subject:text=x", ":text"),
        ("value-string=!!!", "value-string"),
        ("subject.nonsense=x", "subject.nonsense"),
        ("subject:.name=x", "subject:"),
        ("subject:Patient.nonsense=x", "subject:Patient.nonsense"),
        ("_has:Observation:subject:nonsense=x", "_has:Observation:subject:nonsense"),
        ("_filter=x", "_filter"),
        ("_text=!!!", "_text"),
        ("_content=%22x", "_content"),
        ("_text:exact=x", "_text"),
        ("_text:missing=true", "_text"),
        ("_query=x", "_query"),
        ("_filter:not=code eq x", "_filter"),
        ("_list=$current-allergies", "$current-allergies"),
        ("_list=", "_list"),
        ("_list=Patient/x", "_list"),
        ("_list:not=x", "_list"),
        ("_revinclude=Observation", "_revinclude"),
        ("_revinclude=Nothing:subject", "_revinclude"),
        ("_revinclude:nonsense=Observation:subject", "_revinclude:nonsense"),
        ("_include:recurse=Observation:subject", "_include:recurse"),
        ("_include:iterate=Observation:code", "_include:iterate"),
        ("_include=Encounter:subject", "_include"),
        ("_include=Observation:code", "_include"),
        ("_include=Observation:subject:Nothing", "_include"),
        ("_include=Observation:subject:", "''"),
        ("_include=Observation:subject:Practitioner", "leads to Device, Group, Location, Patient"),
        ("_include=Observation:focus:Parameters", "types"),
        ("_include:iterate=Encounter:subject:Observation", "leads to Group, Patient"),
        ("_revinclude=DiagnosticReport:result:Patient", "leads to Observation"),
        ("_revinclude=AuditEvent:patient", "AuditEvent"),
        ("_revinclude=AuditEvent:*", "AuditEvent"),
        ("_include:iterate=AuditEvent:entity", "AuditEvent"),
        ("subject:Patient.phonetic=kervadek", "phonetic"),
        ("_elements=nothing", "_elements"),
        ("_elements=code.coding", "_elements"),
        ("_elements=Patient.nothing", "_elements"),
        ("_elements=code&_elements=status", "_elements"),
        ("_elements=code&_summary=true", "_elements"),
        ("_summary=true&_summary=text", "_summary"),
        ("_summary=text&_include=Observation:subject", "_include"),
        ("_include=Observation:subject&_summary=text", "_summary"),
        ("_summary=nonsense", "_summary"),
        ("_total=some", "_total"),
        ("_count=-1", "_count"),
        ("_count=many", "_count"),
        ("_count=1&_count=2", "_count"),
        ("_sort=nonsense", "nonsense"),
        ("_sort=date&_sort=nonsense", "nonsense"),
        ("_sort=code-value-quantity", "code-value-quantity"),
        ("_sort=", "_sort"),
        ("_sort=--date", "-date"),
        ("_sort:desc=date", "_sort:desc"),
        ("__proto__=1", "__proto__"),
        ("CODE=1", "CODE"),
    ],
)
def test_what_is_not_understood_is_named(query: str, named: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(query)
    assert any(named in issue.diagnostics for issue in refused.value.issues), refused.value.issues
    ignored = read(f"{query}&status=final", lenient=True)
    assert [one.name for one in ignored.criteria if one.name != "code"] == ["status"] or "_" in query
    assert ignored.ignored


def test_the_same_problem_is_said_once() -> None:
    query = "_summary=text&_include=Observation:subject&_include=Observation:encounter"
    with pytest.raises(BadRequest) as refused:
        read(query)
    assert len(refused.value.issues) == 1
    lenient = read(query, lenient=True)
    assert (len(lenient.ignored), lenient.includes) == (1, ())


def test_every_problem_is_reported_at_once() -> None:
    with pytest.raises(BadRequest) as refused:
        read("a=1&b=2&code=x&_count=y")
    assert len(refused.value.issues) == 3


def test_a_value_with_secrets_is_not_repeated_whole() -> None:
    with pytest.raises(BadRequest) as refused:
        read(f"{'é' * 500}=1")
    assert len(refused.value.issues[0].diagnostics.split("'")[1]) == 60


@pytest.mark.parametrize("query", ["code=%FF", "a=1&" * 101, "code=" + "x" * 70_000])
def test_bad_encoding_and_excess_are_refused(query: str) -> None:
    with pytest.raises(BadRequest):
        read(query)


def test_too_many_values_are_refused() -> None:
    assert len(read(f"code={','.join('a' * 500)}").criteria[0].operands) == 500
    with pytest.raises(BadRequest, match="500"):
        read(f"code={','.join('a' * 300)}&status={','.join('b' * 201)}", lenient=True)


def test_parameters_of_the_edge_are_left_to_it() -> None:
    assert read("_format=json&_pretty=true&code=x").pairs == (("code", "x"),)


def test_result_parameters_shape_the_page() -> None:
    query = read("_count=5000&_total=none&_sort=-date,_id&_include=Observation:subject:Patient&_include=Observation:*")
    assert (query.count, query.total, [key.descending for key in query.sort]) == (1000, "none", [True, False])
    assert read("_sort=-date&_sort=_id").sort == query.sort, "repeated for inner sort orders"
    assert [one.target for one in query.includes] == ["Patient", ""]
    assert read("").count == 20
    assert read("_count=0").count_only
    assert read("_summary=count").count_only
    assert not read("_summary=false").count_only


def test_escapes_keep_separators_in_values() -> None:
    assert split(r"a\,b,c\\,d", ",") == [r"a\,b", r"c\\", "d"]
    assert [unescape(one) for one in split(r"a\,b,c\\,d", ",")] == ["a,b", "c\\", "d"]
    assert unescape(r"\$\|") == "$|"
    query = read(r"code=http://x\|y|a\,b,c&identifier=s|1\|2")
    assert [one[:2] for one in query.criteria[0].operands] == [("http://x|y", "a,b"), (None, "c")]


def test_a_plus_that_was_not_encoded_still_names_a_zone() -> None:
    assert (
        read("date=2024-01-01T10:00:00+02:00").criteria[0].operands
        == read("date=2024-01-01T10:00:00%2B02:00").criteria[0].operands
    )


def test_every_parameter_of_every_type_is_decided_or_refused_by_name() -> None:
    example = {
        "composite": "",
        "date": "2024",
        "number": "1",
        "quantity": "1",
        "reference": "x",
        "special": "1|2",
        "string": "x",
        "token": "true",
        "uri": "x",
    }
    refused = set()
    for type_ in RESOURCE_TYPES:
        for code, parameter in search_parameters(type_).items():
            if not supported(parameter):
                refused.add(code)
                with pytest.raises(BadRequest, match=code):
                    read(f"{code}=1", type_)
            elif parameter.type == "composite":
                parts = [example[_type(one.parameter)] for one in parameter.components]
                assert read(f"{code}={'$'.join(parts)}", type_).criteria
            else:
                assert read(f"{code}={example[parameter.type]}", type_).criteria
    assert refused == {"_query", "phonetic"}


def _type(parameter_id: str) -> str:
    from liaison.fhir.definitions import parameter_by_id

    return parameter_by_id(parameter_id).type


def test_no_refusal_of_a_modifier_offers_what_it_refuses() -> None:
    for code, parameter in search_parameters("Observation").items():
        if not supported(parameter):
            continue
        for modifier in ("missing", "exact", "not", "in", "below", "identifier"):
            try:
                read(f"{code}:{modifier}=1")
            except BadRequest as error:
                said = error.issues[0].diagnostics or ""
                offered = said.partition("these are: ")[2].rstrip(".").split(", ")
                assert "is not supported here" not in said or f":{modifier}" not in offered, said


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=4))
def test_a_query_is_read_as_it_was_written(given_: list[tuple[str, str]]) -> None:
    written = urlencode(given_)
    assert pairs(written) == tuple(given_)
    assert url("https://x/fhir", "Observation", given_).partition("?")[2] == written


@given(st.text("ab=&+%4eEfcC3A9 ;é", max_size=20))
def test_any_query_is_read_as_the_library_reads_it(query: str) -> None:
    try:
        expected = parse_qsl(query, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        with pytest.raises(BadRequest):
            pairs(query)
    else:
        assert list(pairs(query)) == expected


@pytest.mark.parametrize("type_", ["Patient", "Observation"])
def test_the_parameters_named_as_known_are_those_that_are_served(type_: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read("nonsense=x", type_)

    known = refused.value.issues[0].diagnostics.partition("Known: ")[2].rstrip(".").split(", ")
    assert {"_filter", "_has", "_list", "_id", "identifier"} <= set(known)
    assert not {"_query", "_contained", "_containedType"} & set(known)
    assert known == sorted(known)
