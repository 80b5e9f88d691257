"""FHIRPath Patch (R4 fhirpatch.html): the operations, their errors, and what stays as it was."""

import json
from typing import Any

import pytest

from liaison.fhir.errors import FhirError, Unprocessable
from liaison.fhir.model import dump, problems, read, validate
from liaison.fhir.model.patch import fhirpath_patch

PATIENT = b"""{"resourceType":"Patient","id":"a","meta":{"versionId":"1"},
"extension":[{"url":"urn:x","valueDecimal":1.50}],
"identifier":[{"system":"urn:s","value":"1"}],"active":true,
"name":[{"use":"official","family":"ESSAI","given":["Anne","Lise"],"_given":[null,{"id":"g2"}]},{"use":"usual","text":"Nanou"}],
"birthDate":"1950-01-01","_birthDate":{"extension":[{"url":"urn:y","valueString":"z"}]},
"deceasedBoolean":false,
"contact":[{"name":{"text":"a"}},{"name":{"text":"b"}},{"name":{"text":"c"}}]}"""


def operation(kind: str, path: str, **parts: Any) -> dict[str, Any]:
    """`value` is one value[x] or parts; the others are parts by name."""
    found: list[dict[str, Any]] = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    for name, value in parts.items():
        if name == "value":
            found.append({"name": "value", **value})
        else:
            found.append({"name": name, "valueString" if isinstance(value, str) else "valueInteger": value})
    return {"name": "operation", "part": found}


def patched(*operations: dict[str, Any], body: bytes = PATIENT) -> dict[str, Any]:
    parameters = read(json.dumps({"resourceType": "Parameters", "parameter": operations}).encode())
    validate(parameters, "Parameters")
    return fhirpath_patch(parameters)(read(body))


def test_what_a_patch_does_not_name_keeps_its_bytes() -> None:
    found = dump(patched(operation("replace", "Patient.active", value={"valueBoolean": False})))

    assert found == dump(read(PATIENT)).replace(b'"active":true', b'"active":false')
    assert b"1.50" in found


CASES: list[tuple[dict[str, Any], list[Any], Any]] = [
    (operation("add", "Patient", name="gender", value={"valueCode": "female"}), ["gender"], "female"),
    (operation("add", "Patient", name="contact", value={"part": [{"name": "name", "valueHumanName": {"text": "d"}}]}),
     ["contact", 3, "name", "text"], "d"),
    (operation("add", "Patient.contact[1]", name="gender", value={"valueCode": "female"}),
     ["contact", 1, "gender"], "female"),
    (operation("insert", "Patient.contact", index=1, value={"part": [{"name": "name", "valueHumanName": {"text": "n"}}]}),
     ["contact", 1, "name", "text"], "n"),
    (operation("insert", "Patient.name[0].given", index=1, value={"valueString": "Rose"}),
     ["name", 0], {"use": "official", "family": "ESSAI", "given": ["Anne", "Rose", "Lise"],
                   "_given": [None, None, {"id": "g2"}]}),
    (operation("insert", "Patient.telecom", index=0, value={"valueContactPoint": {"system": "phone", "value": "01"}}),
     ["telecom", 0, "value"], "01"),
    (operation("delete", "Patient.name.where(use = 'usual')"), ["name", -1, "use"], "official"),
    (operation("delete", "Patient.name[0].given[1]"),
     ["name", 0], {"use": "official", "family": "ESSAI", "given": ["Anne"]}),
    (operation("delete", "Patient.contact[0]"), ["contact", 0, "name", "text"], "b"),
    (operation("delete", "Patient.gender"), ["id"], "a"),
    (operation("delete", "Patient.photo[3]"), ["id"], "a"),
    (operation("replace", "Patient.name.where(use = 'usual').text", value={"valueString": "Nana"}),
     ["name", 1, "text"], "Nana"),
    (operation("replace", "Patient.name.where(use='usual').first()", value={"valueHumanName": {"text": "N"}}),
     ["name", 1], {"text": "N"}),
    (operation("replace", "Patient.extension('urn:x').value", value={"valueString": "w"}),
     ["extension", 0], {"url": "urn:x", "valueString": "w"}),
    (operation("replace", "Patient.deceased", value={"valueDateTime": "2026-01-01"}),
     ["deceasedDateTime"], "2026-01-01"),
    (operation("replace", "Patient.birthDate", value={"valueDate": "1951-01-01"}), ["birthDate"], "1951-01-01"),
    (operation("move", "Patient.contact", source=2, destination=0), ["contact", 0, "name", "text"], "c"),
    (operation("move", "Patient.contact", source=0, destination=2), ["contact", 2, "name", "text"], "a"),
    (operation("move", "Patient.name[0].given", source=1, destination=0),
     ["name", 0], {"use": "official", "family": "ESSAI", "given": ["Lise", "Anne"], "_given": [{"id": "g2"}, None]}),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "path", "expected"), CASES)
def test_operations_do_what_r4_says(asked: dict[str, Any], path: list[Any], expected: Any) -> None:
    here: Any = patched(asked)
    assert problems(here) == []
    for step in path:
        here = here[step]

    assert here == expected


def test_another_type_of_a_choice_takes_the_place_of_the_first() -> None:
    found = list(patched(operation("replace", "Patient.deceased", value={"valueDateTime": "2026-01-01"})))

    assert found[found.index("_birthDate") + 1] == "deceasedDateTime"
    assert "deceasedBoolean" not in found


def test_a_replaced_or_deleted_primitive_takes_its_extensions_along() -> None:
    assert "_birthDate" not in patched(operation("replace", "Patient.birthDate", value={"valueDate": "1951"}))
    assert not {"birthDate", "_birthDate"} & patched(operation("delete", "Patient.birthDate")).keys()


def test_an_extension_is_added_beside_a_primitive() -> None:
    more = {"part": [{"name": "url", "valueUri": "urn:z"}, {"name": "value", "valueString": "q"}]}
    found = patched(operation("add", "Patient.name[0].given[0]", name="extension", value=more))

    assert found["name"][0]["_given"] == [{"extension": [{"url": "urn:z", "valueString": "q"}]}, {"id": "g2"}]
    assert problems(found) == []


def test_the_last_item_taken_out_takes_the_list_along() -> None:
    assert "identifier" not in patched(operation("delete", "Patient.identifier[0]"))


def test_operations_see_what_those_before_them_did() -> None:
    found = patched(
        operation("delete", "Patient.contact[0]"),
        operation("replace", "Patient.contact[0].name.text", value={"valueString": "first"}),
    )

    assert [one["name"]["text"] for one in found["contact"]] == ["first", "c"]


@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        (operation("add", "Patient", name="active", value={"valueBoolean": True}), 422, "does not repeat"),
        (operation("add", "Patient", name="deceased", value={"valueDateTime": "2026"}), 422, "does not repeat"),
        (operation("add", "Patient", name="colour", value={"valueString": "x"}), 422, "no element colour"),
        (operation("add", "Patient", name="multipleBirth", value={"valueString": "x"}), 422, "cannot be a String"),
        (operation("add", "Patient.name", name="period", value={"valuePeriod": {"start": "2026"}}), 422, "2 elements"),
        (operation("replace", "Patient.gender", value={"valueCode": "female"}), 422, "finds nothing"),
        (operation("replace", "Patient", value={"valueCode": "female"}), 422, "update it"),
        (operation("replace", "Patient.id", value={"valueId": "b"}), 422, "cannot change id"),
        (operation("replace", "Patient.meta.versionId", value={"valueId": "7"}), 422, "cannot change meta.versionId"),
        (operation("delete", "Patient.meta"), 422, "cannot change meta.versionId"),
        (operation("delete", "Patient.contact"), 422, "3 elements"),
        (operation("delete", "Patient"), 422, "delete it"),
        (operation("delete", "Observation.status"), 422, "no Observation"),
        (operation("delete", "Patient.contact.resolve()"), 422, "only"),
        (operation("delete", "Patient.where(colour = 1)"), 422, "no element colour"),
        (operation("delete", "%%%"), 400, "no FHIRPath"),
        (operation("delete", "Patient.name.where(text.matches('(a+)+$'))"), 400, "not patterns"),
        (operation("delete", "Patient.name.where(text.replaceMatches('(a+)+$', 'b') = 'b')"), 400, "not patterns"),
        (operation("delete", "Patient.name.where(" + "(" * 400 + "true" + ")" * 400 + ")"), 400, "nested too deep"),
        (operation("delete", "Patient" + ".extension" * 200), 400, "at most 1000 characters"),
        (operation("insert", "Patient.contact", index=4, value={"valueString": "x"}), 422, "at most 3"),
        (operation("insert", "Patient.birthDate", index=0, value={"valueDate": "2026"}), 422, "does not repeat"),
        (operation("insert", "Patient.contact.first()", index=0, value={"valueString": "x"}), 422, "name of the list"),
        (operation("move", "Patient.contact", source=3, destination=0), 422, "below that"),
        (operation("move", "Patient.contact", source=0), 400, "'destination' is missing"),
        (operation("insert", "Patient.contact", index="x", value={"valueString": "x"}), 400, "valueInteger from 0"),
        (operation("add", "Patient", value={"valueString": "x"}), 400, "'name' is missing"),
        (operation("add", "Patient", name="gender", colour="x", value={"valueCode": "x"}), 400, "means nothing to add"),
        (operation("patch", "Patient"), 400, "'type' is one of"),
        ({"name": "operations", "part": []}, 400, "not named 'operation'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_named(asked: dict[str, Any], status: int, said: str) -> None:
    with pytest.raises(FhirError) as caught:
        patched(asked) if asked["part"] else fhirpath_patch({"resourceType": "Parameters", "parameter": [asked]})

    assert caught.value.status == status, str(caught.value)
    assert said in str(caught.value)
    assert "ESSAI" not in str(caught.value)  # no value of the record


def test_the_operation_and_its_path_are_named() -> None:
    with pytest.raises(Unprocessable, match=r"^Operation 2 \(replace\) at 'Patient.gender'") as caught:
        patched(operation("delete", "Patient.gender"), operation("replace", "Patient.gender", value={"valueCode": "x"}))

    assert caught.value.issues[0].expression == "Parameters.parameter[1]"


def test_paths_enter_contained_resources_by_their_own_type() -> None:
    body = b"""{"resourceType":"MedicationRequest","status":"active","intent":"order","subject":{"display":"x"},
    "contained":[{"resourceType":"Medication","id":"m","code":{"text":"old"}}],
    "medicationReference":{"reference":"#m"}}"""

    found = patched(
        operation("replace", "MedicationRequest.contained.where(id = 'm').code.text", value={"valueString": "new"}),
        body=body,
    )

    assert found["contained"][0]["code"]["text"] == "new"
