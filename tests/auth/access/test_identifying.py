"""$identify: what an identity carries follows what was checked of it (RNIV); nothing else qualifies one."""

import json
from typing import Any

import pytest

from liaison.auth.access.identity import RELIABILITY, STATUS, comments_of, reliability, status_of

from .arrivals import INS, parameters, registered, said, traits

pytestmark = pytest.mark.alone

Tree = dict[str, Any]
OLDER = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0445"


async def newcomer(territory: Any, who: Any, status: str = "PROV", **more: Any) -> str:
    """Someone without a matricule, registered by this person."""
    tree = {name: value for name, value in traits(**more).items() if name != "identifier"}
    answer = await territory.ask(who.caller, "POST", "Patient/$register", parameters(tree, status=status))
    assert answer.status == 201, answer.body
    return said(answer)["patient"]


async def identify(territory: Any, who: Any, reference: str, status: str, patient: Tree | None = None) -> Any:
    parts: list[Tree] = [{"name": "status", "valueCode": status}]
    if patient is not None:
        parts.append({"name": "patient", "resource": patient})
    body = {"resourceType": "Parameters", "parameter": parts}
    return await territory.ask(who.caller, "POST", f"{reference}/$identify", body)


async def test_an_identity_is_validated_then_qualified_and_carries_its_matricule_only_then(territory: Any) -> None:
    gp = await territory.person("gp")
    reference = await newcomer(territory, gp)
    for status, shown, carries in (
        ("VALI", None, False),
        ("RECUP", traits(), False),
        ("QUAL", traits(), True),
        ("PROV", None, False),
    ):
        answer = await identify(territory, gp, reference, status, shown)
        assert answer.status == 200, answer.body
        assert said(answer)["result"] == "recorded"
        tree = await territory.tree(reference, gp.caller)
        assert status_of(tree) == status
        assert ("identifier" in tree) is carries


@pytest.mark.parametrize(
    ("status", "shown", "answered"),
    [
        ("QUAL", None, 400),
        ("RECUP", None, 400),
        ("SURE", traits(), 400),
        ("QUAL", traits(identifier=[{"system": "urn:oid:1.2.3", "value": "1"}]), 400),
        ("QUAL", traits(identifier=[{"system": INS, "value": "260058815400234"}]), 400),
        ("QUAL", traits("LE GALL"), 422),
        ("QUAL", traits(given="Anne"), 422),
        ("QUAL", traits(place="29019"), 422),
        ("QUAL", {**traits(), "gender": "male"}, 422),
        ("VALI", {**traits(), "birthDate": "1948-03-03"}, 422),
    ],
)
async def test_what_was_not_checked_is_not_recorded(
    territory: Any, status: str, shown: Tree | None, answered: int
) -> None:
    gp = await territory.person("gp")
    reference = await newcomer(territory, gp)
    assert (await identify(territory, gp, reference, status, shown)).status == answered
    assert status_of(await territory.tree(reference, gp.caller)) == "PROV"


async def test_a_doubtful_identity_is_not_qualified_and_stays_doubtful_until_it_is_checked(territory: Any) -> None:
    gp = await territory.person("gp")
    doubt = {"url": "identityStatusComment", "valueCoding": {"code": "DOUT"}}
    [place] = traits()["extension"]
    stated = {**reliability("PROV"), "extension": [*reliability("PROV")["extension"], doubt]}
    person = {**traits(), "extension": [place, stated]}
    answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(person, status="QUAL"))
    assert answer.status == 400

    created = json.loads((await territory.ask(gp.caller, "POST", "Patient", person)).body)
    assert (status_of(created), comments_of(created), "identifier" in created) == ("PROV", {"DOUT"}, False)
    person["birthDate"] = "1948-03-03"
    for status in ("VALI", "RECUP"):
        answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(person, status=status))
        assert (answer.status, b"DOUT" in answer.body) == (400, True)
    answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(person))
    reference = said(answer)["patient"]
    assert comments_of(await territory.tree(reference, gp.caller)) == {"DOUT"}
    shown = {**traits(), "birthDate": person["birthDate"]}
    assert (await identify(territory, gp, reference, "RECUP", shown)).status == 400
    checked = await territory.tree(reference, gp.caller)
    checked["extension"] = [place, {**reliability("VALI"), "extension": [*reliability("VALI")["extension"], doubt]}]
    assert (await territory.ask(gp.caller, "PUT", reference, checked)).status == 422
    for status, left in (("PROV", {"DOUT"}), ("VALI", set())):
        assert (await identify(territory, gp, reference, status)).status == 200
        assert comments_of(await territory.tree(reference, gp.caller)) == left


@pytest.mark.parametrize(
    ("last", "type_", "answered"),
    [
        ("8", "INS-NIR", 201),
        ("8", "INS-NIA", 400),
        ("9", "INS-NIR", 400),
        ("9", "INS-NIA", 201),
        ("10", "INS-NIR", 201),
        ("10", "INS-NIR-DEMO", 400),
    ],
)
async def test_the_type_of_a_matricule_is_that_of_its_oid(territory: Any, last: str, type_: str, answered: int) -> None:
    gp = await territory.person("gp")
    coding = {"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": type_}
    number = {"type": {"coding": [coding]}, "system": f"urn:oid:1.2.250.1.213.1.4.{last}", "value": "248032923200137"}
    person = {**traits(), "identifier": [number]}

    answer = await territory.ask(gp.caller, "POST", "Patient/$register", parameters(person, status="QUAL"))

    assert answer.status == answered
    assert answered == 201 or b"Patient.identifier[0].type" in answer.body


async def test_a_matricule_that_has_a_record_proposes_a_duplicate(territory: Any) -> None:
    gp, other = [await territory.person("gp") for _ in range(2)]
    auditor = await territory.mandated()
    await registered(territory, other)
    mine = await newcomer(territory, gp, place="29019")
    shown = traits(place="29019")

    answer = await identify(territory, gp, mine, "QUAL", shown)

    assert said(answer) == {"result": "duplicate", "patient": mine}
    tree = await territory.tree(mine, gp.caller)
    assert (status_of(tree), "identifier" in tree) == ("VALI", False)
    assert len(await territory.search(auditor.caller, f"Task?patient={mine}")) == 1
    assert await territory.search(gp.caller, f"Task?patient={mine}") == []


async def test_trying_matricules_is_limited(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    await registered(territory, other)
    mine = await newcomer(territory, gp, place="29019")
    answers = [await identify(territory, gp, mine, "QUAL", traits(place="29019")) for _ in range(11)]
    assert [answer.status for answer in answers] == [200] * 10 + [429]


@pytest.mark.parametrize("role", ["home-aide", "psychologist", "auditor"])
async def test_some_roles_keep_no_identity_and_nobody_s_who_is_hidden(territory: Any, role: str) -> None:
    gp, stranger = await territory.person("gp"), await territory.person("gp")
    other = await territory.person(role)
    seen = await territory.patient(gp, other)
    assert (await identify(territory, other, seen.reference, "VALI")).status in (403, 404)
    assert (await identify(territory, stranger, seen.reference, "VALI")).status == 404


def stated(system: str, code: str) -> Tree:
    inner = [{"url": "identityStatus", "valueCoding": {"system": system, "code": code}}]
    return {"url": RELIABILITY, "extension": inner}


@pytest.mark.parametrize(
    ("system", "code", "answered"),
    [(STATUS, "VALI", 200), (STATUS, "RECUP", 200), (STATUS, "QUAL", 422), (OLDER, "VALI", 200)],
)
async def test_an_update_qualifies_nobody(territory: Any, system: str, code: str, answered: int) -> None:
    gp = await territory.person("gp")
    reference = await newcomer(territory, gp)
    [place] = traits()["extension"]
    answer = await territory.change(gp.caller, reference, extension=[place, stated(system, code)])
    assert answer.status == answered, answer.body


async def test_a_qualified_identity_keeps_its_matricule_and_no_other_status_does(territory: Any) -> None:
    gp = await territory.person("gp")
    reference = await registered(territory, gp)
    [place] = traits()["extension"]
    # The older generation says VALI of a qualified identity: the same, in other words.
    for system, code, answered in ((OLDER, "VALI", 200), (STATUS, "VALI", 422), (STATUS, "PROV", 422)):
        answer = await territory.change(gp.caller, reference, extension=[place, stated(system, code)])
        assert answer.status == answered, (system, code)
    assert (await territory.change(gp.caller, reference, identifier=[])).status == 422


OWN_NAME = "http://hl7.org/fhir/StructureDefinition/humanname-own-name"
BIRTH_LIST = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-birth-list-given-name"


def birth_list(given: str) -> Tree:
    return {**traits()["name"][0], "extension": [{"url": BIRTH_LIST, "valueString": given}]}


def born_at(code: str = "", **address: str) -> Tree:
    place = traits(place=code)["extension"][0]
    inner = place["valueAddress"] if code else {}
    return {**place, "valueAddress": {**inner, **address}}


OTHER_TRAITS = {
    "name": {"name": traits("LE GALL")["name"]},
    "given name": {"name": traits(given="Anne")["name"]},
    "second given name": {"name": [{**traits()["name"][0], "given": [*traits()["name"][0]["given"], "Jeanne"]}]},
    "birth date": {"birthDate": "1948-03-03"},
    "no birth date": {"birthDate": None},
    "sex": {"gender": "male"},
    "birthplace": {"extension": traits(place="29019")["extension"]},
    "another first": {"name": [*traits("LE GALL")["name"], *traits()["name"]]},
    "another official": {"name": [*traits()["name"], *traits("LE GALL")["name"]]},
    "a maiden name": {"name": [*traits()["name"], {**traits("LE GALL")["name"][0], "use": "maiden"}]},
    "a name of no use": {"name": [{"family": "LE GALL"}, *traits()["name"]]},
    "the name is usual": {"name": [{**traits()["name"][0], "use": "usual"}]},
    "the name is old": {"name": [{**traits()["name"][0], "use": "old"}, {"use": "usual", "family": "Tanguy"}]},
    "the name ended": {"name": [{**traits()["name"][0], "period": {"end": "2020-01-01"}}]},
    "the name begins": {"name": [{**traits()["name"][0], "period": {"start": "2020-01-01"}}]},
    "the list of given names": {"name": [birth_list("Zorro")]},
    "a given name of its own": {
        "name": [{**traits()["name"][0], "_family": {"extension": [{"url": OWN_NAME, "valueString": "LE GALL"}]}}]
    },
    "another birthplace": {"extension": [*traits()["extension"], *traits(place="75056")["extension"]]},
    "another birthplace first": {"extension": [born_at(city="Paris"), *traits()["extension"]]},
    "the town": {"extension": [born_at("29232", city="Paris")]},
    "the country": {"extension": [born_at("29232", country="BEL")]},
    "no birthplace": {"extension": []},
}


async def checked(territory: Any, who: Any, status: str) -> tuple[str, list[Tree]]:
    """Someone of that status, and what their record says of it."""
    reference = await registered(territory, who) if status == "QUAL" else await newcomer(territory, who, status)
    tree = await territory.tree(reference, who.caller)
    return reference, [one for one in tree["extension"] if one["url"] == RELIABILITY]


async def is_refused(territory: Any, who: Any, reference: str, changed: Tree, said_of_it: list[Tree]) -> bool:
    extensions = [*changed["extension"], *said_of_it]
    refused = await territory.change(who.caller, reference, **{**changed, "extension": extensions})
    return refused.status == 422 and b"strict traits" in refused.body


@pytest.mark.parametrize("other", OTHER_TRAITS)
async def test_the_strict_traits_of_a_checked_identity_stay_until_it_is_provisional(territory: Any, other: str) -> None:
    """A matricule is of these traits: the record would have another person's (RNIV)."""
    gp = await territory.person("gp")
    reference, said_of_it = await checked(territory, gp, "QUAL")
    changed = {"extension": traits()["extension"], **OTHER_TRAITS[other]}

    assert await is_refused(territory, gp, reference, changed, said_of_it)
    provisional = {**changed, "identifier": None, "extension": [*changed["extension"], reliability("PROV")]}
    assert (await territory.change(gp.caller, reference, **provisional)).status == 200


@pytest.mark.parametrize("status", ["VALI", "RECUP"])
async def test_they_stay_whichever_way_it_was_checked(territory: Any, status: str) -> None:
    gp = await territory.person("gp")
    reference, said_of_it = await checked(territory, gp, status)
    everyone = {name: {"extension": traits()["extension"], **other} for name, other in OTHER_TRAITS.items()}

    kept = [name for name, one in everyone.items() if not await is_refused(territory, gp, reference, one, said_of_it)]
    assert kept == []
    provisional = {**everyone["name"], "extension": [*everyone["name"]["extension"], reliability("PROV")]}
    assert (await territory.change(gp.caller, reference, **provisional)).status == 200


@pytest.mark.parametrize("type_", ["replaced-by", "replaces"])
async def test_no_update_says_that_two_records_are_of_one_person(territory: Any, type_: str) -> None:
    """From then on nobody would find them: `$lookup`, emergency access and `$register` pass over who was merged."""
    gp = await territory.person("gp")
    reference, other = await registered(territory, gp), await newcomer(territory, gp, given="Anne")
    links = [{"other": {"reference": to}, "type": type_} for to in (other, reference)]
    tree = {name: value for name, value in traits(given="Lena").items() if name != "identifier"}

    for link in links:
        assert (await territory.change(gp.caller, reference, link=[link])).status == 422
        assert (await territory.ask(gp.caller, "POST", "Patient", {**tree, "link": [link]})).status == 422
    seealso = {"other": {"reference": other}, "type": "seealso"}
    assert (await territory.change(gp.caller, reference, link=[seealso])).status == 200


async def test_what_is_no_strict_trait_changes_freely(territory: Any) -> None:
    gp = await territory.person("gp")
    reference = await registered(territory, gp)
    [name] = traits()["name"]

    used = [
        {**name, "family": name["family"].title()},
        {"use": "usual", "family": "Tanguy", "given": ["Rozenn"]},
        {"use": "old", "family": "Ancien", "period": {"end": "2001"}},
    ]
    answer = await territory.change(
        gp.caller,
        reference,
        name=used,
        telecom=[{"system": "phone", "value": "02 98 00 00 00"}],
        maritalStatus={"text": "M"},
    )

    assert answer.status == 200, answer.body


async def test_the_other_system_of_an_insee_code_is_the_same_birthplace(territory: Any) -> None:
    gp = await territory.person("gp")
    reference = await registered(territory, gp)
    tree = await territory.tree(reference, gp.caller)
    code = tree["extension"][0]["valueAddress"]["extension"][0]["valueCoding"]
    code["system"] = "https://mos.esante.gouv.fr/NOS/TRE_R20-Pays/FHIR/TRE-R20-Pays"
    assert (await territory.change(gp.caller, reference, extension=tree["extension"])).status == 200


async def test_a_plain_create_is_no_qualified_identity_without_an_ins(territory: Any) -> None:
    gp = await territory.person("gp")
    tree = {name: value for name, value in traits().items() if name != "identifier"}
    tree["extension"] = [*tree["extension"], stated(STATUS, "QUAL")]
    await territory.refused(gp.caller, "POST", "Patient", tree)


@pytest.mark.parametrize(("place", "proposed"), [("29232", 1), ("29019", 0)])
async def test_a_plain_create_alike_in_every_trait_proposes_a_duplicate(
    territory: Any, place: str, proposed: int
) -> None:
    gp, other = [await territory.person("gp") for _ in range(2)]
    auditor = await territory.mandated()
    await newcomer(territory, other)
    tree = {name: value for name, value in traits(place=place).items() if name != "identifier"}
    mine = await territory.create(gp.caller, tree)
    assert len(await territory.search(auditor.caller, f"Task?patient={mine}")) == proposed
    assert await territory.search(gp.caller, f"Task?patient={mine}") == []
