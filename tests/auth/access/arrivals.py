"""How a person comes in: the bodies that $register, $lookup and $join take, and what they say."""

import json
from typing import Any

INS = "urn:oid:1.2.250.1.213.1.4.10"
Tree = dict[str, Any]


def traits(family: str = "LE GOFF", given: str = "Jeanne", place: str = "29232", **more: Any) -> Tree:
    return {
        "resourceType": "Patient",
        "identifier": [{"system": INS, "value": "260058815400233"}],
        "name": [{"use": "official", "family": family, "given": [given]}],
        "birthDate": "1948-03-02",
        "gender": "female",
        "extension": [
            {
                "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
                "valueAddress": {
                    "extension": [
                        {
                            "url": "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",
                            "valueCoding": {
                                "system": "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM",
                                "code": place,
                            },
                        }
                    ]
                },
            }
        ],
        **more,
    }


def parameters(patient: Tree, **values: Any) -> Tree:
    parts: list[Tree] = [{"name": "patient", "resource": patient}]
    for name, value in values.items():
        kind = "valueBoolean" if isinstance(value, bool) else "valueString" if name == "reason" else "valueCode"
        parts.append({"name": name, kind: value})
    return {"resourceType": "Parameters", "parameter": parts}


def said(answer: Any) -> dict[str, str]:
    found = {}
    for part in json.loads(answer.body)["parameter"]:
        value = next(value for name, value in part.items() if name.startswith("value"))
        found[part["name"]] = value["reference"] if isinstance(value, dict) else value
    return found


async def registered(territory: Any, person: Any, **values: Any) -> str:
    answer = await territory.ask(
        person.caller, "POST", "Patient/$register", parameters(traits(), status="QUAL", informed="oral", **values)
    )
    assert answer.status == 201, answer.body
    return said(answer)["patient"]
