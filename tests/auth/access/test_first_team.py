"""The team that a record opens with, by $register and by a transaction: each member's legal basis, what the person was told."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.auth.access import vocabulary

from .arrivals import parameters, said, traits

pytestmark = pytest.mark.alone  # nobody else lives there who could have the same traits

Tree = dict[str, Any]


async def test_each_member_comes_with_their_basis_and_the_person_with_what_they_were_told(territory: Any) -> None:
    practice, elsewhere = await territory.organization("Maison"), await territory.organization("Autre")
    gp, nurse = await territory.person("gp", practice), await territory.person("nurse", practice)
    physio = await territory.person("physio", elsewhere)

    def stated(*members: tuple[Any, str], told: str = "Dit.") -> Tree:
        asked = parameters(traits(), status="QUAL", informed="oral")
        asked["parameter"].append({"name": "told", "valueString": told})
        asked["parameter"] += [
            {"name": "member", "valueReference": {
                "reference": one.role, "extension": [{"url": vocabulary.LEGAL_BASIS, "valueCode": basis}]}}
            for one, basis in members
        ]  # fmt: skip
        return asked

    unsaid = stated((nurse, ""))
    del unsaid["parameter"][-1]["valueReference"]["extension"]
    for wrong in (stated((physio, "same-structure")), stated((nurse, "friendship")), stated(told="x" * 2001), unsaid):
        answer = await territory.ask(gp.caller, "POST", "Patient/$register", wrong)
        assert answer.status == 400
    assert json.loads(answer.body)["issue"][0]["expression"] == ["Parameters.parameter.where(name='member')"]
    good = stated((nurse, "same-structure"), (physio, "formal-organisation"), told="Nature et destinataires dits.")
    answer = await territory.ask(gp.caller, "POST", "Patient/$register", good)
    assert answer.status == 201, answer.body

    patient = said(answer)["patient"]
    [team] = await territory.search(gp.caller, f"CareTeam?patient={patient}")
    participants = (await territory.tree(team))["participant"]
    assert {one["member"]["reference"]: one["extension"][0]["valueCode"] for one in participants} == {
        gp.role: "recognised", nurse.role: "same-structure", physio.role: "formal-organisation",
    }  # fmt: skip
    [consent] = await territory.search(gp.caller, f"Consent?patient={patient}")
    assert "Nature et destinataires dits." in (await territory.tree(consent))["policyRule"]["text"]


async def test_a_transaction_opens_a_record_with_its_team_and_information(territory: Any) -> None:
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    urn = "urn:uuid:6f2f9a3e-4a0e-4f35-9a6a-2b1d6f0d7f10"
    record = SimpleNamespace(reference=urn)
    members = [
        {**territory.member(one), "extension": [{"url": vocabulary.LEGAL_BASIS, "valueCode": "recognised"}]}
        for one in (gp, nurse)
    ]
    trees = [traits(), territory.team(record, [], participant=members), territory.consent(record, "information")]
    entries = [
        {"fullUrl": urn if place == 0 else f"urn:uuid:6f2f9a3e-4a0e-4f35-9a6a-2b1d6f0d7f1{place}", "resource": tree,
         "request": {"method": "POST", "url": tree["resourceType"]}}
        for place, tree in enumerate(trees)
    ]  # fmt: skip
    answer = await territory.ask(
        gp.caller, "POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )

    assert answer.status == 200, answer.body
    patient = "/".join(json.loads(answer.body)["entry"][0]["response"]["location"].split("/")[-4:-2])
    assert await territory.sees(nurse.caller, patient)
    # An INS is recorded by $register alone: the identity is provisional, known elsewhere or not.
    assert "identifier" not in await territory.tree(patient)
