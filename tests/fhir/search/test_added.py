"""What a SearchParameter must be for one to search by it; each reason against it, by the element that is wrong."""

from typing import Any

import pytest

from liaison.fhir.errors import Unprocessable
from liaison.fhir.search.added import problems, require_usable

Tree = dict[str, Any]
GENDER = "http://hl7.org/fhir/SearchParameter/individual-gender"


def parameter(**more: Any) -> Tree:
    return {
        "resourceType": "SearchParameter",
        "url": "https://liaison.test/SearchParameter/eye-colour",
        "name": "EyeColour",
        "status": "active",
        "description": "The colour of the eyes",
        "code": "eye-colour",
        "base": ["Patient"],
        "type": "token",
        "expression": "Patient.extension.where(url = 'https://liaison.test/eyes').value",
    } | more


def composite(definition: str, *expressions: str) -> Tree:
    parts = [{"definition": definition, "expression": one} for one in expressions]
    return parameter(type="composite", expression="Patient.contact", component=parts)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"expression": "Patient.extension('https://liaison.test/eyes').value.as(Coding)"},
        {"expression": "Patient.extension.where(url = 'a').extension.where(url = 'b').value.ofType(code)"},
        {"expression": "Patient.contact.gender | Patient.contact[0].gender"},
        {"expression": "Patient.contact.gender.first()"},
        {"base": ["Resource"], "expression": "Resource.meta.extension.value.as(Coding)"},
        {
            "base": ["Patient", "Practitioner"],
            "expression": "Patient.communication.exists() | Practitioner.communication.exists()",
        },
        {"type": "number", "expression": "Patient.multipleBirth.as(integer)"},
        {"type": "number", "base": ["Encounter"], "expression": "Encounter.diagnosis.rank"},
        {"type": "reference", "target": ["Organization"], "expression": "Patient.contact.organization"},
        composite(GENDER, "gender", "gender"),
        {"code": "name", "status": "draft", "expression": "whatever("},
        {"code": "name", "status": "retired"},
    ],
)
def test_these_can_be_searched_by(more: Tree) -> None:
    require_usable(parameter(**more))


@pytest.mark.parametrize(
    ("more", "where", "said"),
    [
        ({"code": "name"}, "code", "is a search parameter of R4 for Patient"),
        ({"code": "_tag"}, "code", "starts with a letter"),
        ({"code": "eye.colour"}, "code", "made of letters"),
        ({"type": "special"}, "type", "'special' cannot be added"),
        ({"base": ["Patient", "AuditEvent"]}, "base[1]", "AuditEvent is not stored here"),
        ({"base": ["Patient", "Dragon"]}, "base[1]", "Dragon is not stored here"),
        ({"base": ["Patient", "Condition"]}, "expression", "says nothing about Condition"),
        ({"base": ["DomainResource"], "code": "patient"}, "code", "is a search parameter of R4 for"),
        ({"xpathUsage": "phonetic"}, "xpathUsage", "can be normal"),
        ({"type": "reference", "expression": "Patient.contact.organization"}, "target", "which types it leads to"),
        ({"expression": ""}, "expression", "no expression"),
        ({"expression": "Patient.eyes"}, "expression", "Patient has no element eyes"),
        ({"expression": "Patient.name"}, "expression", "HumanName, of which no value of type 'token'"),
        ({"expression": "Patient.name.count()"}, "expression", "count() cannot be used"),
        ({"expression": "Patient.("}, "expression", "not expected"),
        ({"expression": "Patient.contained.name"}, "expression", "Resource has no element"),
        ({"expression": "Patient.birthDate.extension.value"}, "expression", "date has no elements"),
        ({"expression": "(" * 3_000 + "Patient.gender" + ")" * 900}, "expression", "cannot be used"),
        ({"expression": "Patient.gender | " * 500}, "expression", "longer than"),
        (composite(GENDER, "gender"), "component", "from two to"),
        (composite("https://liaison.test/own", "gender", "gender"), "component[0].definition", "of R4"),
        (composite(GENDER, "gender", "eyes"), "expression", "has no element eyes"),
    ],
)
def test_what_cannot_is_said_by_its_element(more: Tree, where: str, said: str) -> None:
    found = problems(parameter(**more))

    assert any(issue.expression == f"SearchParameter.{where}" and said in issue.diagnostics for issue in found), found
    with pytest.raises(Unprocessable):
        require_usable(parameter(**more))


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = problems(parameter(code="name", xpathUsage="other", expression="Patient.eyes"))

    assert [issue.expression.partition(".")[2] for issue in wrong] == ["xpathUsage", "code", "expression"]
