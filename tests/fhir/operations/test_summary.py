"""Patient/$summary: a valid IPS document of what the caller may see, equal bytes for equal data, in French."""

from collections.abc import Callable
from typing import Any

import pytest

from liaison.fhir.model import problems, read
from liaison.fhir.model.narrative import is_clean
from liaison.fhir.operations.ips import narrative, sections

from ...auth.access import territory as access
from .conftest import Bundle, Territory, parameters

Tree = dict[str, Any]
REQUIRED = {
    "11450-4": "Problèmes de santé",
    "48765-2": "Allergies et intolérances",
    "10160-0": "Traitements médicamenteux",
}


def text(words: str) -> Tree:
    return {"text": words}


def section(bundle: Bundle, code: str) -> Tree | None:
    composition = bundle.trees[0]
    return next((one for one in composition["section"] if one["code"]["coding"][0]["code"] == code), None)


def check(bundle: Bundle) -> None:
    """What holds for every summary: valid R4, clean narratives, each entry once, each entry of a section present."""
    body = bundle.answer.body
    assert [one for one in problems(read(body)) if one.severity == "error"] == []
    tree = bundle.tree
    assert (tree["type"], bundle.trees[0]["resourceType"], bundle.trees[1]["resourceType"]) == (
        "document", "Composition", "Patient")  # fmt: skip
    urls = [one["fullUrl"] for one in tree["entry"]]
    assert len(urls) == len(set(urls))
    composition = bundle.trees[0]
    divs = [composition["text"]["div"], *(one["text"]["div"] for one in composition["section"])]
    assert all(map(is_clean, divs))
    named = [composition["subject"], *(ref for one in composition["section"] for ref in one.get("entry", ()))]
    assert {one["reference"] for one in named} <= set(urls)
    assert set(REQUIRED) <= {one["code"]["coding"][0]["code"] for one in composition["section"]}


async def summary(territory: Territory, caller: Any, patient: Any) -> Bundle:
    found = await territory.call(caller, f"{patient.reference}/$summary")
    check(found)
    return found


@pytest.fixture
async def filled(territory: Territory) -> tuple[Territory, Any, Any]:
    organization = await territory.organization("Maison de santé <du Lac>")
    gp = await territory.person("gp", organization)
    patient = await territory.patient(gp, name=[{"use": "official", "family": "LE <GALL>", "given": ["Zoé"]}])

    async def add(name: str, type_: str, **more: Any) -> None:
        patient.made[name] = await territory.item(patient, type_, **more)

    active = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}
    over = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]}
    untrue = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}]
    }
    await add("problem", "Condition", code=text("Asthme & <b>toux</b>"), clinicalStatus=active, onsetDateTime="2019-05")
    await add(
        "past",
        "Condition",
        code=text("Grippe"),
        clinicalStatus=over,
        onsetDateTime="2018",
        abatementDateTime="2018-02-03",
    )
    await add("error", "Condition", code=text("Erreur"), verificationStatus=untrue)
    await add("allergy", "AllergyIntolerance", code=text("Pollen"), criticality="high")
    await add("drug", "MedicationRequest", medicationCodeableConcept=text("Paracétamol"), authoredOn="2026-01-02",
              requester={"reference": gp.role}, dosageInstruction=[{"text": "1 g matin et soir"}])  # fmt: skip
    await add("stopped", "MedicationRequest", status="stopped")
    weight = {"unit": "kg", "value": 72.5}
    for name, day in (("old", "2026-01-01"), ("weight", "2026-03-01")):
        await add(name, "Observation", **access.vital(effectiveDateTime=day, valueQuantity=weight))
    return territory, gp, patient


async def test_it_says_what_is_known(filled: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = filled
    found = await summary(territory, gp.caller, patient)
    shown = {one["title"]: one for one in found.trees[0]["section"]}

    assert list(shown) == [*REQUIRED.values(), "Constantes", "Antécédents médicaux"]
    assert "Asthme &amp; &lt;b&gt;toux&lt;/b&gt;, depuis le 05/2019" in shown["Problèmes de santé"]["text"]["div"]
    assert "Pollen, criticité élevée" in shown["Allergies et intolérances"]["text"]["div"]
    assert "Paracétamol, 1 g matin et soir, 02/01/2026" in shown["Traitements médicamenteux"]["text"]["div"]
    assert ": 72,5 kg, 01/03/2026" in shown["Constantes"]["text"]["div"]
    assert "Grippe, du 2018 au 03/02/2018" in shown["Antécédents médicaux"]["text"]["div"]
    assert "LE &lt;GALL&gt;" in found.trees[0]["text"]["div"]
    left_out = {patient.made[name] for name in ("old", "error", "stopped", "team", "information")}
    assert not left_out & set(found.names)
    assert {gp.role, gp.practitioner, gp.organization} <= set(found.names)


async def test_it_is_signed_by_the_structure(filled: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = filled
    found = await summary(territory, gp.caller, patient)
    assert found.trees[0]["author"] == [{"reference": f"{access.BASE}/{gp.organization}"}]
    assert found.trees[0]["custodian"] == found.trees[0]["author"][0]

    alone = await territory.person("gp")
    await territory.create(territory.system, access.team(patient, [alone]))
    assert (await summary(territory, alone.caller, patient)).trees[0]["author"] == [{"display": "Liaison"}]


async def test_equal_data_gives_equal_bytes(filled: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = filled
    one = (await summary(territory, gp.caller, patient)).answer.body
    hidden = access.item(patient, "Condition", meta={"security": access.classes("PROT")})
    await territory.create(territory.system, hidden)
    again = (await summary(territory, gp.caller, patient)).answer.body
    assert one == again

    await territory.change(gp.caller, patient.made["weight"], note=[text("x")])
    assert (await summary(territory, gp.caller, patient)).answer.body != one


async def test_a_section_empty_by_rights_is_like_any_empty_one(territory: Territory) -> None:
    """The same document, byte for byte, whether the protected problem exists or not."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    empty = await summary(territory, gp.caller, patient)
    for type_ in ("Condition", "AllergyIntolerance", "MedicationRequest", "Observation"):
        more = access.vital() if type_ == "Observation" else {}
        await territory.item(patient, type_, **more, meta={"security": access.classes("PROT")})
    protected = await summary(territory, gp.caller, patient)

    assert protected.answer.body == empty.answer.body
    for code in REQUIRED:
        one = section(empty, code)
        assert one is not None and "entry" not in one
        assert one["emptyReason"]["coding"][0]["code"] == "unavailable"
        assert "Aucune information disponible." in one["text"]["div"]
    assert len((await summary(territory, territory.system, patient)).names) > len(protected.names)


async def test_a_wrapper_that_said_so_would_be_seen(territory: Territory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sibling: sections told from all rows, not from those the caller sees, make the documents differ."""
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    empty = await summary(territory, gp.caller, patient)
    await territory.item(patient, "Condition", meta={"security": access.classes("PROT")})
    system = territory.system
    real: Callable[..., Any] = territory.store.lanes.fetch

    async def all_rows(text_: str, session: int, *rest: Any) -> Any:
        return await real(text_, system.session, *rest)

    monkeypatch.setattr(territory.store.lanes, "fetch", all_rows)
    monkeypatch.setattr("liaison.auth.access.second_wall.allows", lambda *_: True)

    assert (await summary(territory, gp.caller, patient)).answer.body != empty.answer.body


async def test_scopes_empty_a_section_in_the_same_way(filled: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = filled
    narrow = territory.scoped(gp.caller, "user/Patient.rs user/Condition.rs")
    found = await summary(territory, narrow, patient)

    one = section(found, "10160-0")
    assert one is not None and one["emptyReason"]["coding"][0]["code"] == "unavailable"
    assert {name.partition("/")[0] for name in found.names} == {"Patient", "Condition"}
    without = territory.scoped(gp.caller, "user/Condition.rs")
    assert (await territory.ask(without, "GET", f"{patient.reference}/$summary")).status == 403


async def test_by_identifier(filled: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = filled
    stranger = await territory.patient(await territory.person("gp"), identifier=[{"system": "urn:x", "value": "2"}])
    await territory.change(territory.system, patient.reference, identifier=[{"system": "urn:x", "value": "1"}])
    by_get = await territory.call(gp.caller, "Patient/$summary?identifier=urn:x|1")
    by_post = await territory.call(gp.caller, "Patient/$summary", parameters(identifier__valueString="urn:x|1"))

    assert by_get.names[0] == by_post.names[0] == patient.reference
    assert by_get.answer.body == by_post.answer.body
    hidden, absent = [
        await territory.ask(gp.caller, "GET", f"Patient/$summary?identifier=urn:x|{value}") for value in (2, 3)
    ]
    assert (hidden.status, hidden.body) == (404, absent.body)
    assert stranger.reference not in by_get.names
    for path, named in (
        ("Patient/$summary", "identifier"),
        (f"{patient.reference}/$summary?identifier=x", "identifier"),
        (f"{patient.reference}/$summary?profile=https://example.org/other", "profile"),
        (f"{patient.reference}/$summary?nonsense=1", "nonsense"),
    ):
        answer = await territory.refused(gp.caller, "GET", path)
        assert answer.status == 400 and f"'{named}'".encode() in answer.body


async def test_a_stranger_gets_what_they_would_of_nobody(filled: tuple[Territory, Any, Any]) -> None:
    territory, _, patient = filled
    stranger = await territory.person("gp")
    hidden = await territory.ask(stranger.caller, "GET", f"{patient.reference}/$summary")
    absent = await territory.ask(stranger.caller, "GET", f"Patient/{'0123456789abcdef' * 2}/$summary")

    assert (hidden.status, hidden.body) == (404, absent.body)


async def test_everything_in_it_is_journaled(filled: tuple[Territory, Any, Any]) -> None:
    territory, gp, patient = filled
    before = len(await territory.journaled())
    found = await summary(territory, gp.caller, patient)
    entries = [one for one in await territory.journaled(before) if one[0] == 5]

    assert {territory.store.reference(one.key) for one in found.answer.disclosed} == set(found.names)
    assert sorted(entries) == [(5, 0), (5, territory.key(patient.reference).patient)]


def test_every_type_looked_at_can_be_told() -> None:
    told = set(narrative._LINES)
    assert told == sections.TYPES - {"Patient"}


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"resourceType": "Observation", "code": text("TA"), "component": [
            {"code": text("PAS"), "valueQuantity": {"value": 12, "unit": "cmHg"}},
            {"code": text("PAD"), "dataAbsentReason": text("x")}]}, "TA, PAS : 12 cmHg; PAD : non renseigné"),
        ({"resourceType": "Observation", "code": text("Fume"), "valueBoolean": False}, "Fume : non"),
        ({"resourceType": "Observation", "code": text("R"), "valueQuantity": {"value": 0, "code": "1"}}, "R : 0"),
        ({"resourceType": "Observation", "code": text("T"), "valueRange": {"low": {"value": 1}, "high": {"value": 2}}},
         "T : 1 – 2"),
        ({"resourceType": "Immunization", "vaccineCode": {"coding": [{"code": "208", "display": "COVID"}]},
          "occurrenceDateTime": "2021-03-04T10:00:00+01:00"}, "COVID, 04/03/2021"),
        ({"resourceType": "CarePlan", "title": "Plan", "period": {"start": "2026-01-01"}}, "Plan, depuis le 01/01/2026"),
        ({"resourceType": "Flag", "code": {"coding": [{"code": "x"}]}, "period": {"end": "2026"}}, "x, jusqu’au 2026"),
        ({"resourceType": "Condition"}, "Sans libellé"),
        ({"resourceType": "Flag", "code": text("a\x85b\u2028c")}, "a b c"),
    ],
)  # fmt: skip
def test_lines(tree: Tree, line: str) -> None:
    assert narrative.line(tree, {}) == line
