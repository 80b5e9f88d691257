"""$meta, $meta-add, $meta-delete: labels in use among what is visible; changing them is a write like any other."""

import json
from typing import Any

import pytest

from liaison.auth.access import vocabulary

from ...auth.access import territory as access
from .conftest import Territory

Tree = dict[str, Any]
TAG = {"system": "https://example.org/tags", "code": "pilot", "display": "Pilote"}
OTHER = {"system": "https://example.org/tags", "code": "other"}
PROFILE = "https://example.org/StructureDefinition/weight"


def labels(**meta: Any) -> Tree:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


async def returned(territory: Territory, caller: Any, path: str, body: Tree | None = None, **headers: str) -> Tree:
    answer = await territory.ask(caller, "POST" if body else "GET", path, body, **headers)
    assert answer.status == 200, answer.body
    tree = json.loads(answer.body)
    assert tree["resourceType"] == "Parameters"
    [one] = tree.get("parameter") or [{"valueMeta": {}}]
    return one["valueMeta"]  # type: ignore[no-any-return]  # JSON


async def test_labels_come_and_go(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    weight = await territory.create(gp.caller, access.item(patient))

    added = await returned(territory, gp.caller, f"{weight}/$meta-add", labels(tag=[TAG], profile=[PROFILE]))
    assert (added["tag"], added["profile"], added["versionId"]) == ([TAG], [PROFILE], "2")
    assert await returned(territory, gp.caller, f"{weight}/$meta") == added
    again = await returned(territory, gp.caller, f"{weight}/$meta-add", labels(tag=[{**TAG, "display": "Autre nom"}]))
    assert again == added  # nothing new, no version
    await returned(territory, gp.caller, f"{weight}/$meta-add", labels(tag=[OTHER, OTHER]))
    left = await returned(territory, gp.caller, f"{weight}/$meta-delete", labels(tag=[{**TAG, "display": "x"}]))
    assert left["tag"] == [OTHER]
    assert (await territory.tree(weight))["meta"] == left
    none = await returned(territory, gp.caller, f"{weight}/$meta-delete", labels(tag=[OTHER], profile=[PROFILE]))
    assert "tag" not in none and "profile" not in none
    unchanged = await returned(territory, gp.caller, f"{weight}/$meta-delete", labels(tag=[OTHER]))
    assert unchanged == none


async def test_the_content_stays_as_it_was_written(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    sent = json.dumps(access.item(patient)).replace('"code":', '"valueQuantity": {"value": 72.50}, "code":', 1)
    from liaison.fhir.store.contract import Request

    answer = await territory.engine.handle(gp.caller, Request("POST", "Observation", "", sent.encode()))
    assert answer.status == 201, answer.body
    weight = f"Observation/{json.loads(answer.body)['id']}"
    await returned(territory, gp.caller, f"{weight}/$meta-add", labels(tag=[TAG]))

    after = (await territory.ask(gp.caller, "GET", weight)).body
    assert b'"value":72.50' in after
    assert after.partition(b'"status"')[2] == answer.body.partition(b'"status"')[2]


async def test_if_match_holds(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    weight = await territory.create(gp.caller, access.item(patient))

    wrong = await territory.ask(gp.caller, "POST", f"{weight}/$meta-add", labels(tag=[TAG]), if_match='W/"2"')
    assert wrong.status == 412
    right = await territory.ask(gp.caller, "POST", f"{weight}/$meta-add", labels(tag=[TAG]), if_match='W/"1"')
    assert right.status == 200 and ("etag", 'W/"2"') in right.headers


async def test_it_needs_the_right_to_update(territory: Territory) -> None:
    """Same rights, same words as PUT."""
    gp, aide, other = [await territory.person(code) for code in ("gp", "home-aide", "gp")]
    patient = await territory.patient(gp, aide)
    plan = await territory.create(gp.caller, access.item(patient, "CarePlan"))
    weight = await territory.create(gp.caller, access.item(patient))
    for caller, reference in ((aide.caller, plan), (aide.caller, weight), (other.caller, weight)):
        tree = {**await territory.tree(reference), "meta": {"tag": [TAG]}}
        put = await territory.ask(caller, "PUT", reference, tree)
        added = await territory.ask(caller, "POST", f"{reference}/$meta-add", labels(tag=[TAG]))
        assert (added.status, added.body) == (put.status, put.body), reference
    reader = territory.scoped(gp.caller, "user/*.rs")
    assert (await territory.ask(reader, "POST", f"{weight}/$meta-add", labels(tag=[TAG]))).status == 403


MASQUE = {
    "system": "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument",
    "code": "MASQUE_PS",
}


async def test_a_security_label_is_lifted_by_those_only_who_may(territory: Territory) -> None:
    """A masking: its author and the attending doctor lift it; a substitute sees it and does not; a nurse sees nothing."""
    author, nurse, attending = [await territory.person(code) for code in ("nurse", "nurse", "gp")]
    patient = await territory.patient(author, nurse)
    attends = [access.member(attending, role=access.ATTENDING)]
    await territory.create(territory.system, access.team(patient, [], participant=attends))
    now = {"start": "2020-01-01", "end": "2099-01-01"}
    substitute = await territory.person("substitute", acts_for=attending.role, period=now)
    weight = await territory.create(author.caller, access.item(patient, **access.vital()))
    masked = labels(security=[MASQUE])
    assert (await territory.ask(author.caller, "POST", f"{weight}/$meta-add", masked)).status == 200
    assert not await territory.sees(nurse.caller, weight)

    hidden = await territory.ask(nurse.caller, "POST", f"{weight}/$meta-delete", masked)
    absent = await territory.ask(nurse.caller, "POST", f"Observation/{'0' * 32}/$meta-delete", masked)
    assert (hidden.status, hidden.body) == (404, absent.body)
    assert (await territory.ask(substitute.caller, "GET", f"{weight}/$meta")).status == 200
    assert (await territory.ask(substitute.caller, "POST", f"{weight}/$meta-delete", masked)).status == 403
    assert (await territory.ask(substitute.caller, "POST", f"{weight}/$meta-add", labels(tag=[TAG]))).status == 200
    lifted = await returned(territory, attending.caller, f"{weight}/$meta-delete", masked)
    assert "security" not in lifted
    assert await territory.sees(nurse.caller, weight)


async def test_a_label_cannot_be_lowered_by_who_could_not_write_it(territory: Territory) -> None:
    """PSY is above a home-care nurse who may write the plain observation: taking the label off is refused."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    psy = labels(security=access.classes("PSY"))
    weight = await territory.create(gp.caller, access.item(patient, **access.vital()))
    await territory.change(territory.system, weight, meta={"security": access.classes("PSY")})
    plain = {name: value for name, value in (await territory.tree(weight)).items() if name != "meta"}
    direct = await territory.ask(nurse.caller, "PUT", weight, plain)
    by_operation = await territory.ask(nurse.caller, "POST", f"{weight}/$meta-delete", psy)

    assert direct.status in (403, 404)
    assert (by_operation.status, by_operation.body) == (direct.status, direct.body)
    assert (await territory.tree(weight))["meta"]["security"] == access.classes("PSY")


async def test_the_journal_holds_an_update(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    weight = await territory.create(gp.caller, access.item(patient))
    before = len(await territory.journaled())
    await returned(territory, gp.caller, f"{weight}/$meta-add", labels(tag=[TAG]))

    entries = await territory.journaled(before)
    assert (12, territory.key(weight).patient) in entries


async def test_labels_in_use_are_those_of_what_is_visible(territory: Territory) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    mine, theirs = await territory.patient(gp), await territory.patient(other)
    for tag, patient, type_ in ((TAG, mine, "Observation"), (OTHER, theirs, "Observation"), (OTHER, mine, "Condition")):
        await territory.item(patient, type_, meta={"tag": [tag], "profile": [PROFILE]})
    await territory.item(mine, meta={"security": access.classes("PROT"), "tag": [OTHER]})

    of_type = await returned(territory, gp.caller, "Observation/$meta")
    assert of_type == {"profile": [PROFILE], "tag": [TAG]}
    assert (await returned(territory, gp.caller, "$meta"))["tag"] == [OTHER, TAG]
    assert (await returned(territory, other.caller, "Observation/$meta"))["tag"] == [OTHER]
    assert await returned(territory, gp.caller, "Practitioner/$meta") == {}
    nobody = await territory.person("gp")
    assert await returned(territory, nobody.caller, "$meta") == {}


async def test_criteria_of_a_scope_leave_out_the_labels_of_the_rest(territory: Territory) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    for tag in (TAG, OTHER):
        await territory.item(patient, meta={"tag": [tag, {"system": "x", "code": "both"}]},
                             **(access.vital() if tag is TAG else {}))  # fmt: skip
    narrow = territory.scoped(gp.caller, "user/Observation.rs?category=vital-signs")

    found = await returned(territory, narrow, "Observation/$meta")
    assert {one["code"] for one in found["tag"]} == {"pilot", "both"}
    assert (await returned(territory, narrow, "$meta")) == found
    assert (await territory.ask(narrow, "GET", "Condition/$meta")).status == 403


async def test_too_many_records_are_refused_rather_than_searched(
    territory: Territory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp = await territory.person("gp")
    for _ in range(2):
        await territory.patient(gp)
    monkeypatch.setattr("liaison.fhir.operations.meta._PROBES", 5)

    refused = await territory.ask(gp.caller, "GET", "$meta")
    assert refused.status == 422 and b"too-costly" in refused.body
    assert (await territory.ask(gp.caller, "GET", "Observation/$meta")).status == 200


async def test_hidden_is_absent(territory: Territory) -> None:
    gp, other = await territory.person("gp"), await territory.person("gp")
    hidden = await territory.item(await territory.patient(other))
    absent = f"Observation/{'0123456789abcdef' * 2}"
    for path, body in (("$meta", None), ("$meta-add", labels(tag=[TAG])), ("$meta-delete", labels(tag=[TAG]))):
        method = "POST" if body else "GET"
        one, two = [await territory.ask(gp.caller, method, f"{where}/{path}", body) for where in (hidden, absent)]
        assert (one.status, one.body) == (two.status, two.body) == (404, one.body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"resourceType": "Parameters"}, "meta"),
        (labels(versionId="7"), "versionId"),
        (labels(source="https://example.org"), "source"),
        (labels(tag=TAG), "Expected a list"),
        (labels(tag=[{"code": 5}]), "code"),
        ({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueString": "x"}]}, "valueMeta"),
        ({"resourceType": "Patient"}, "Parameters"),
    ],
)
async def test_what_is_no_label_is_refused(territory: Territory, body: Tree, said: str) -> None:
    gp = await territory.person("gp")
    weight = await territory.create(gp.caller, access.item(await territory.patient(gp)))
    answer = await territory.ask(gp.caller, "POST", f"{weight}/$meta-add", body)

    assert answer.status == 400
    assert said.encode() in answer.body
    assert (await territory.ask(gp.caller, "GET", f"{weight}/$meta-add")).status == 405


async def test_what_is_not_in_the_record_has_no_labels(territory: Territory) -> None:
    gp = await territory.person("gp")
    for path in ("AuditEvent/$meta", f"AuditEvent/{'0' * 32}/$meta", "Parameters/$meta"):
        assert (await territory.ask(gp.caller, "GET", path)).status == 404


def test_the_classes_are_labels() -> None:
    assert all(one["system"] == vocabulary.DATA_CLASS for one in access.classes("PSY"))
