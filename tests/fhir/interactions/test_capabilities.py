"""The CapabilityStatement says what is so: every parameter it names is understood, and none that is understood is left out."""

from datetime import UTC, datetime

import orjson
import pytest

from liaison.fhir import model
from liaison.fhir.definitions import RESOURCE_TYPES, search_parameters
from liaison.fhir.errors import BadRequest, FhirError
from liaison.fhir.interactions.capabilities import Elsewhere, Stated, capabilities
from liaison.fhir.interactions.routing import route
from liaison.fhir.model import validate
from liaison.fhir.operations.definitions import DEFINITIONS
from liaison.fhir.search.criteria import Context
from liaison.fhir.search.parse import criterion

BASE = "https://liaison.test/fhir"
OPERATIONS = ["Patient/$register", "PlanDefinition/*/$apply", "$all"]
STATED = Stated(
    {"description": "Sign in."}, {"AuditEvent": Elsewhere(("read",), (("period-start", "date"), ("date", "date")))}
)
STATEMENT = orjson.loads(capabilities(BASE, OPERATIONS, STATED).body)
TYPES = {one["type"]: one for one in STATEMENT["rest"][0]["resource"]}


def test_the_statement_is_a_valid_resource() -> None:
    validate(model.read(capabilities(BASE).body), "CapabilityStatement")
    assert STATEMENT["fhirVersion"] == "4.0.1"
    assert STATEMENT["implementation"]["url"] == BASE


def test_every_type_is_there_but_parameters() -> None:
    assert set(TYPES) == RESOURCE_TYPES - {"Parameters"}


def test_a_type_kept_elsewhere_says_what_its_reader_answers() -> None:
    assert TYPES["AuditEvent"]["interaction"] == [{"code": "read"}]
    definition = "http://hl7.org/fhir/SearchParameter/AuditEvent-date"
    assert TYPES["AuditEvent"]["searchParam"] == [
        {"name": "date", "type": "date", "definition": definition},
        {"name": "period-start", "type": "date"},
    ]
    assert "AuditEvent" not in {one["type"] for one in orjson.loads(capabilities(BASE).body)["rest"][0]["resource"]}


def test_interactions_are_those_that_the_router_knows() -> None:
    stated = {one["code"] for one in TYPES["Observation"]["interaction"]}
    for code, method, path in (
        ("read", "GET", "Observation/a"),
        ("patch", "PATCH", "Observation/a"),
        ("delete", "DELETE", "Observation/a"),
        ("history-type", "GET", "Observation/_history"),
    ):
        try:
            route(method, path)
        except FhirError:
            assert code not in stated
        else:
            assert code in stated


def test_the_same_statement_is_not_sent_twice() -> None:
    first = capabilities(BASE)
    tag = dict(first.headers)["etag"]

    again = capabilities(BASE, headers={"if-none-match": f'"other", {tag}'})
    changed = capabilities(BASE, OPERATIONS, headers={"if-none-match": tag})

    assert (first.status, again.status, again.body, changed.status) == (200, 304, b"", 200)


@pytest.mark.parametrize("query", ["mode=terminology", "mode=normative", "mode=", "_elements=rest", "nonsense=1"])
def test_what_is_not_served_of_it_is_refused_by_name(query: str) -> None:
    with pytest.raises(BadRequest, match=query.partition("=")[0]) as refused:
        capabilities(BASE, query=query)
    assert refused.value.issues[0].code == "not-supported"
    assert capabilities(BASE, query=query, headers={"prefer": "handling=lenient"}).status == 200


@pytest.mark.parametrize("query", ["mode=full", "_summary=false", "_format=json&_pretty=true"])
def test_what_asks_for_the_whole_is_answered(query: str) -> None:
    assert capabilities(BASE, query=query).status == 200


def test_the_parameters_named_are_the_ones_understood() -> None:
    for type_, stated in TYPES.items():
        named = {one["name"] for one in stated.get("searchParam", ())}
        context = Context(type_, BASE, datetime.now(UTC))
        for code in search_parameters(type_).keys() | {"nonsense"}:
            if type_ == "AuditEvent":
                continue
            if code in named:
                # A value that no type takes: what is complained about is the value, or nothing.
                try:
                    criterion(code, "1$1$1", context)
                except BadRequest as error:
                    assert error.issues[0].code == "value", (type_, code)  # most are accepted
            else:
                with pytest.raises(BadRequest, match="not"):
                    criterion(code, "1", context)


def test_every_operation_on_the_record_stands_where_it_is_served_with_its_definition() -> None:
    statement = orjson.loads(capabilities(BASE, DEFINITIONS).body)["rest"][0]
    types = {
        one["type"]: {op["name"]: op["definition"] for op in one.get("operation", ())} for one in statement["resource"]
    }
    on_all = {one.name: one.url for where, one in DEFINITIONS.items() if where.startswith("Resource/")}

    for where, definition in DEFINITIONS.items():
        type_ = where.partition("$")[0].partition("/")[0]
        if type_ not in ("", "Resource"):
            assert types[type_][definition.name] == definition.url
    assert all(found.items() >= on_all.items() for type_, found in types.items() if type_ != "AuditEvent")
    assert "AuditEvent" not in types
    assert statement["operation"] == [{"name": "meta", "definition": DEFINITIONS["$meta"].url}]


def test_operations_stand_at_their_type() -> None:
    assert [one["name"] for one in TYPES["Patient"]["operation"]] == ["register"]
    [apply] = TYPES["PlanDefinition"]["operation"]
    assert apply == {"name": "apply", "definition": "http://hl7.org/fhir/OperationDefinition/PlanDefinition-apply"}
    assert [one["name"] for one in STATEMENT["rest"][0]["operation"]] == ["all"]


def test_what_is_configured_is_said() -> None:
    plain = orjson.loads(capabilities(BASE).body)["rest"][0]
    told = orjson.loads(capabilities(BASE, (), Stated(many_deletions=True)).body)["rest"][0]

    assert {one["conditionalDelete"] for one in plain["resource"] if "conditionalDelete" in one} == {"single"}
    assert {one["conditionalDelete"] for one in told["resource"] if "conditionalDelete" in one} == {"multiple"}


def test_every_interaction_of_the_routes_is_claimed() -> None:
    claimed = {one["code"] for one in TYPES["Observation"]["interaction"]}
    system = {one["code"] for one in STATEMENT["rest"][0]["interaction"]}

    assert {"patch", "history-type", "history-instance"} <= claimed
    assert "history-system" in system
    assert STATEMENT["patchFormat"] == ["application/json-patch+json", "application/fhir+json"]
