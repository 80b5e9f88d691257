"""A permission that opens nothing to somebody whom it names is refused, with the place; what is sensitive opens to who represents
the person by the person's own word."""

import json
from typing import Any

import pytest

from liaison.auth.access import opening, vocabulary

from .pieces import HIV, Tree, label, moment

TYPES = [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}]
RULE = "Consent.provision"
MEASURE = [{"url": "measure", "valueCode": "tutelle"}, {"url": "seenOn", "valueDate": "2026-01-05"}]


async def answered(territory: Any, caller: Any, patient: Any, provision: Tree, **more: Any) -> tuple[int, list[str]]:
    tree = territory.consent(patient, provision={"type": "permit", **provision}, **more)
    answer = await territory.ask(caller, "POST", "Consent", tree)
    told = json.loads(answer.body).get("issue", ()) if answer.status != 201 else ()
    return answer.status, [place for issue in told for place in issue.get("expression", ())]


@pytest.mark.parametrize(
    ("to", "rule", "place"),
    [
        ("specialist", {}, None),
        ("specialist", {"class": TYPES}, f"{RULE}.class"),
        ("specialist", {"dataPeriod": {"start": "2026-01-01"}}, f"{RULE}.dataPeriod"),
        ("specialist", {"code": [{"text": "weight"}]}, f"{RULE}.code"),
        ("specialist", {"purpose": [{"system": vocabulary.ACT_REASON, "code": "HRESCH"}]}, f"{RULE}.purpose"),
        ("specialist", {"securityLabel": [{"system": "urn:x", "code": "CLIN"}]}, f"{RULE}.securityLabel"),
        ("specialist", {"period": {"end": "2026-01-01"}}, f"{RULE}.period"),
        ("home-aide", {}, f"{RULE}.actor[0]"),  # no role of theirs reads by a permission
        ("social-worker", {"securityLabel": ["CLIN"]}, None),  # what was marked for social follow-up
        ("social-worker", {"securityLabel": ["SOC", "PSY"]}, f"{RULE}.securityLabel"),
        ("opposed", {}, f"{RULE}.actor[0]"),
        ("relative", {}, None),
        ("relative", {"securityLabel": ["VITAL", "CLIN"]}, f"{RULE}.securityLabel"),
        ("relative", {"securityLabel": ["SENS"]}, f"{RULE}.securityLabel"),
        ("elsewhere", {}, f"{RULE}.actor[0]"),
    ],
)  # fmt: skip
async def test_each_permission_that_opens_nothing_is_refused_with_its_place(
    territory: Any, to: str, rule: Tree, place: str | None
) -> None:
    gp = await territory.person("gp")
    patient = await territory.patient(gp)
    role = {"opposed": "specialist", "relative": "specialist", "elsewhere": "specialist"}.get(to, to)
    whom = (await territory.person(role)).role
    if to == "opposed":
        deny = {"type": "deny", "actor": [territory.actor(whom)]}
        await territory.create(gp.caller, territory.consent(patient, "opposition", deny))
    if to == "relative":
        whom = await territory.item(patient, "RelatedPerson")
    if to == "elsewhere":
        whom = "https://elsewhere.example/fhir/Practitioner/1"
    me = await territory.as_oneself(patient.reference, "patient", patient.reference)
    names = rule.get("securityLabel", [])
    labels = {"securityLabel": territory.classes(*names)} if names and isinstance(names[0], str) else {}
    provision = {"actor": [territory.actor(whom)], **rule, **labels}

    status, places = await answered(territory, me, patient, provision)

    assert (status, places) == ((201, []) if place is None else (422, [place]))
    if place is not None:  # a second rule, and what only becomes active; an import keeps what it brings
        within = {"actor": [territory.actor(gp.role)], "provision": [{"type": "permit", **provision}]}
        nested = place.replace(RULE, f"{RULE}.provision[0]")
        assert await answered(territory, me, patient, within) == (422, [nested])
        draft = territory.consent(patient, provision={"type": "permit", **provision}, status="draft")
        assert (await territory.change(me, await territory.create(me, draft), status="active")).status == 422
        brought = await territory.create(territory.system, {**draft, "status": "active"})
        over = {**draft["provision"], "period": {"end": moment(days=1)}}
        assert (await territory.change(me, brought, provision=over)).status == 200


async def test_what_records_that_the_person_was_informed_permits_nothing(territory: Any) -> None:
    """It names whom the person was told of; called a permission too, it would be taken for one."""
    gp, other = await territory.person("gp"), await territory.person("specialist")
    patient = await territory.patient(gp)
    told = territory.consent(patient, "information", {"type": "permit", "actor": [territory.actor(other.role)]})
    both = [*told["category"], *territory.consent(patient)["category"]]

    stands = await territory.create(gp.caller, told)
    assert (await territory.ask(gp.caller, "POST", "Consent", {**told, "category": both})).status == 422
    refused = await territory.change(gp.caller, stands, category=both)
    assert json.loads(refused.body)["issue"][0]["expression"] == ["Consent.category"]
    assert not await territory.sees(other.caller, patient.reference)


async def test_a_permission_names_no_more_people_than_can_be_asked_of_the_rules(territory: Any) -> None:
    gp, other = await territory.person("gp"), await territory.person("specialist")
    patient = await territory.patient(gp)
    many = {"actor": [territory.actor(other.role)] * (opening.MOST + 1)}
    assert await answered(territory, gp.caller, patient, many) == (422, [RULE])
    assert (await answered(territory, gp.caller, patient, {"actor": many["actor"][1:]}))[0] == 201


async def test_a_permission_that_opens_nothing_would_be_taken_in_silence(
    territory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling of the test above."""

    async def nothing(*_: Any) -> None:
        return None

    monkeypatch.setattr(opening, "check", nothing)
    gp, aide = await territory.person("gp"), await territory.person("home-aide")
    patient = await territory.patient(gp)
    permit = {"actor": [territory.actor(aide.role)]}
    assert await answered(territory, gp.caller, patient, permit) == (201, [])
    assert not await territory.sees(aide.caller, patient.reference)


async def test_what_is_sensitive_opens_to_who_represents_the_person_while_both_hold(territory: Any) -> None:
    """Row 22: « SENS only if the person agrees »; nothing else by it, and nothing after either ends."""
    gp, nurse = await territory.person("gp"), await territory.person("nurse")
    patient = await territory.patient(gp, nurse)
    seen = {"url": "seenBy", "valueReference": {"reference": gp.role}}
    stated = {"extension": [{"url": vocabulary.REPRESENTATION, "extension": [*MEASURE, seen]}]}
    guardian = await territory.create(gp.caller, territory.item_of(patient, "RelatedPerson", **stated))
    hiv = await territory.item(patient, "Condition", code=HIV)
    both = await territory.item(patient, "Condition", **label("SENS", "MINOR"))
    closed = [
        both,
        *[await territory.item(patient, "Condition", **label(name)) for name in ("MINOR", "NOTE3P", "PROT")],
    ]
    caller = await territory.as_oneself(guardian, "guardian", patient.reference)
    me = await territory.as_oneself(patient.reference, "patient", patient.reference)
    sensitive = {"actor": [territory.actor(guardian)], "securityLabel": territory.classes("SENS")}
    by_guardian = {"performer": [{"reference": guardian}]}

    # Not by the representative's word, whoever writes it; nor by staff who do not read it.
    assert await answered(territory, gp.caller, patient, sensitive, **by_guardian) == (422, ["Consent.performer"])
    assert (await answered(territory, caller, patient, sensitive, **by_guardian))[0] in (403, 422)
    assert (await answered(territory, nurse.caller, patient, sensitive))[0] == 403
    for name in ("MINOR", "NOTE3P"):
        rule = {**sensitive, "securityLabel": territory.classes("SENS", name)}
        assert await answered(territory, me, patient, rule) == (422, [f"{RULE}.securityLabel"])
    assert not await territory.sees(caller, hiv)

    consents = [await territory.create(who, territory.consent(patient, provision={"type": "permit", **sensitive}))
                for who in (me, gp.caller)]  # fmt: skip
    assert await territory.sees(caller, hiv)
    assert [await territory.sees(caller, one) for one in closed] == [False] * len(closed)
    assert (await territory.change(me, consents[0], status="inactive")).status == 200
    assert await territory.sees(caller, hiv)  # by the other
    assert (await territory.change(me, consents[1], status="inactive")).status == 200
    assert not await territory.sees(caller, hiv)

    again = await territory.create(me, territory.consent(patient, provision={"type": "permit", **sensitive}))
    assert await territory.sees(caller, hiv)
    assert (await territory.change(gp.caller, guardian, extension=None)).status == 200  # the measure ends
    assert not await territory.sees(caller, hiv)
    assert (await territory.tree(again))["status"] == "active"
