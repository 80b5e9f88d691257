"""Chains into contained resources (R4 search.html#contained): what stands in a resource is looked at where it stands."""

from typing import Any

import pytest

from liaison.fhir.model import read
from liaison.fhir.search.contained import of_type
from liaison.fhir.search.index import indexed
from liaison.fhir.store.contract import Key

from .conftest import PSY, Territory
from .linked import House

HIDDEN = {"security": [{"system": PSY, "code": "PSY"}]}


def coding(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://acme", "code": code}]}


def medicine(code: str, *ingredients: str, **more: Any) -> dict[str, Any]:
    """As in R4's own example: contained in the request, which refers to it by #m1."""
    return {
        "resourceType": "Medication",
        "id": "m1",
        "code": coding(code),
        "ingredient": [{"itemCodeableConcept": coding(one)} for one in ingredients],
        **more,
    }


async def request(house: House, name: str, owner: str, *contained: dict[str, Any], **more: Any) -> Key:
    tree = {
        "resourceType": "MedicationRequest",
        "status": "active",
        "intent": "order",
        "contained": list(contained),
        "medicationReference": {"reference": "#m1"},
        **more,
    }
    return await house.add(name, tree, owner)


async def furnished(territory: Territory) -> House:
    """Four requests: two medicines that they contain, one that Zoé's record holds, and one that is only named."""
    made = await House.furnished(territory)
    await request(made, "syrup", "zoe", medicine("M42", "abc", "def", batch={"expirationDate": "2027-01-31"}))
    maker = {"resourceType": "Organization", "id": "o", "name": "Laboratoires Bréguet", "partOf": made.ref("lungs")}
    made_by = {"manufacturer": {"reference": "#o"}, "status": "active"}
    await request(made, "pills", "paul", medicine("M43", "abc", **made_by), maker)
    stored = {"resourceType": "Medication", "code": coding("M42"), "manufacturer": made.ref("unit"), "status": "active"}
    made.names["box"] = await territory.add(stored, made.names["zoe"])
    await request(made, "drops", "zoe", medicationReference=made.ref("box"), contained=[])
    code = {"medicationCodeableConcept": coding("M42")}
    await made.add("named", {"resourceType": "MedicationRequest", "status": "active", "intent": "order", **code}, "zoe")
    return made


@pytest.fixture
async def house(territory: Territory) -> House:
    return await furnished(territory)


@pytest.fixture(scope="module")
async def read_house(read_territory: Territory) -> House:
    return await furnished(read_territory)


FOUND = (
    # R4's own example, with the type named and without
    ("medication.ingredient-code=abc", "pills syrup"),
    ("medication.ingredient-code=http://acme|def", "syrup"),
    ("medication:Medication.code=M42", "drops syrup"),
    ("medication:Medication.code=M43", "pills"),
    ("medication.code=M42&medication.ingredient-code=abc", "syrup"),
    ("medication.code=M42,M43&patient={paul}", "pills"),
    ("medication.code=M42&patient={paul}", ""),
    ("medication.code=nothing", ""),
    # what tokens cannot decide
    ("medication.code:not=M42", "pills"),
    ("medication.code:missing=false", "drops pills syrup"),
    ("medication.ingredient-code:missing=true", "drops"),
    ("medication.status:missing=true", "syrup"),
    ("medication.expiration-date=lt2028", "syrup"),
    ("medication.expiration-date=lt2027", ""),
    ("medication._id=m1", ""),
    ("medication._id={box}", "drops"),
    ("medication._lastUpdated=gt2020", "drops"),
    ("medication._content=abc", "pills syrup"),
    # from one contained resource to another, and out of it
    ("medication.manufacturer.name=laboratoires", "pills"),
    ("medication.manufacturer:Organization.name:exact=Laboratoires Bréguet", "pills"),
    ("medication.manufacturer.partof.name=pneumo", "drops pills"),
    ("medication.manufacturer.partof=Organization/{lungs}", "drops pills"),
    ("medication.manufacturer.partof.partof.name=hopital", "drops pills"),
    ("medication.manufacturer.name=unite", "drops"),
    # the reference itself is there
    ("medication:missing=true", "named"),
    ("medication:missing=false", "drops pills syrup"),
    ("medication=%23m1", ""),
    # filters
    ("_filter=medication.code eq M42", "drops syrup"),
    ("_filter=medication.ingredient-code eq abc and medication.code ne M42", "pills"),
    ("_filter=medication[code eq M42 and ingredient-code eq def].status eq active", ""),
    ("_filter=medication[code eq M43 and ingredient-code eq abc].status eq active", "pills"),
    ("_filter=not (medication.code eq M43)", "drops named syrup"),
    ("_filter=medication.code eq M43 or medication.expiration-date lt 2028", "pills syrup"),
    ("_filter=medication pr false", "named"),
    ("_filter=medication pr true", "drops pills syrup"),
)


@pytest.mark.parametrize(("query", "expected"), FOUND, ids=[query for query, _ in FOUND])
async def test_a_contained_resource_is_found_through_what_contains_it(
    read_house: House, query: str, expected: str
) -> None:
    assert await read_house.found("MedicationRequest", query) == expected


async def test_any_type_may_be_contained_and_may_contain(house: House) -> None:
    contained = [{"resourceType": "Practitioner", "id": "p1", "name": [{"family": "Kerviel"}]}]
    performer = [{"reference": "#p1"}]
    await house.observation("seen", "zoe", contained=contained, performer=performer)
    role = {"resourceType": "PractitionerRole", "contained": contained, "practitioner": {"reference": "#p1"}}
    await house.add("role", role)

    assert await house.found("Observation", "performer.name=kerviel") == "seen"
    assert await house.found("Observation", "performer:Practitioner.name:exact=Kerviel") == "seen"
    assert await house.found("Observation", "performer:Patient.name=kerviel") == ""
    assert await house.found("Observation", "performer:missing=false") == "alone seen"
    assert await house.found("PractitionerRole", "practitioner.family=kerviel") == "role"
    assert await house.found("PractitionerRole", "practitioner:missing=true") == ""
    assert await house.found("Patient", "_has:Observation:patient:performer.name=kerviel") == "zoe"
    assert await house.found("Practitioner", "name=kerviel") == ""


async def test_what_may_not_be_seen_is_not_found_by_what_it_contains(house: House, territory: Territory) -> None:
    await request(house, "hidden", "zoe", medicine("M42", "abc"), meta=HIDDEN)
    await house.patient("eve", seen=False)
    await request(house, "elsewhere", "eve", medicine("M42", "abc", "xyz"))

    for query in ("medication.code=M42", "medication.code:missing=false", "medication.ingredient-code=xyz"):
        assert not {"hidden", "elsewhere"} & set((await house.found("MedicationRequest", query)).split())


async def test_a_contained_resource_refers_no_further_than_the_caller_sees(house: House) -> None:
    await house.encounter("closed", "zoe", "HH", meta=HIDDEN)
    for name, visit in (("o-closed", "closed"), ("o-open", "e-zoe")):
        inner = {
            "resourceType": "Observation",
            "id": "x",
            "status": "final",
            "code": coding("inner"),
            "encounter": house.ref(visit),
        }
        await house.observation(name, "zoe", "outer", contained=[inner], hasMember=[{"reference": "#x"}])

    assert await house.found("Observation", "has-member.code=inner") == "o-closed o-open"
    assert await house.found("Observation", "has-member.encounter.class=HH") == "o-open"


async def test_a_scope_narrows_what_a_chain_may_ask_of_a_contained_resource(house: House, territory: Territory) -> None:
    narrow = await territory.session(2, 1, "user/MedicationRequest.rs user/Medication.rs?status=active")
    assert await house.found("MedicationRequest", "medication.ingredient-code=abc", caller=narrow) == "pills"
    assert await house.found("MedicationRequest", "medication.code=M42", caller=narrow) == "drops"


def test_the_index_keeps_what_a_contained_resource_says_with_what_refers_to_it() -> None:
    body = (
        b'{"resourceType":"MedicationRequest","id":"a","contained":[{"resourceType":"Medication","id":"m1","status":"active",'
        b'"code":{"coding":[{"code":"M42"}]}},{"resourceType":"Practitioner","id":"p1","active":true}],'
        b'"medicationReference":{"reference":"#m1"}}'
    )
    values = [value for _, value in indexed("MedicationRequest", read(body)).tokens]
    assert of_type("Medication") in values
    assert any(value.startswith(of_type("Medication") + b"/") and value.endswith(b"cM42") for value in values)
    assert not any(value.startswith(of_type("Practitioner")) for value in values), "nothing refers to it by a parameter"
