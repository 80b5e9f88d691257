"""L'équipe de la personne: each with dates and legal basis; a member invites and ends, and gives nothing to themselves."""

import html
import json
import re
from typing import Any

import httpx
import pytest

from liaison.auth.access import internal, vocabulary
from liaison.auth.access.facts.care_team import is_attending
from liaison.auth.access.facts.reading import codes, period
from liaison.fhir.definitions import kind_of
from liaison.fhir.store.contract import Key, Request

from ...oauth.conftest import Place, field


async def team(place: Place) -> dict[str, Any]:
    """As the territory's maker sees it."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    asked = Request("GET", "CareTeam", f"patient=Patient/{place.patient}")
    found: dict[str, Any] = json.loads((await place.house.engine.handle(maker, asked)).body)["entry"][0]["resource"]
    return found


async def send(browser: httpx.AsyncClient, place: Place, **form: str) -> httpx.Response:
    path = f"/dossiers/{place.patient}/equipe"
    csrf = field((await browser.get(path)).text, "csrf")
    return await browser.post(path, data={"csrf": csrf, **form})


async def somebody(browser: httpx.AsyncClient, place: Place, role: str) -> str:
    """The reference of the one on offer in that role."""
    page = html.unescape((await browser.get(f"/dossiers/{place.patient}/equipe")).text)
    number = await place.house.database.reading.fetchval("select role from held_role where role_code = $1", role)
    offered = re.findall(r'<option value="(PractitionerRole/[^"]+)"', page)
    found: str = next(one for one in offered if (key := place.house.store.key(*one.split("/"))) and key.res == number)
    return found


async def test_a_member_is_invited_with_dates_and_basis_and_ended(place: Place) -> None:
    async with place.signed_in() as nurse:
        page = html.unescape((await nurse.get(f"/dossiers/{place.patient}/equipe")).text)
        assert "depuis le 1er janv. 2020" in page
        assert "La personne déclare son médecin traitant" in page
        chosen = await somebody(nurse, place, "coordinator")
        for wrong in ({}, {"member": chosen}, {"basis": "invited"}, {"member": "Patient/1", "basis": "invited"}):
            assert (await send(nurse, place, act="invite", **wrong)).status_code == 400
        for day in ("2020-01-01", "demain"):
            refused = await send(nurse, place, act="invite", member=chosen, basis="invited", until=day)
            assert refused.status_code == 400
        form = {"act": "invite", "member": chosen, "basis": "formal-organisation", "until": "2099-05-01"}
        assert (await send(nurse, place, **form, informed="yes")).status_code == 303

        role = next(one for one in (await team(place))["participant"] if one["member"]["reference"] == chosen)
        assert role["period"]["end"] == "2099-05-01"
        assert {one.get("valueCode") for one in role["extension"]} >= {"formal-organisation"}
        assert [code for one in role["role"] for code in codes(one, vocabulary.ROLE)] == ["coordinator"]
        page = html.unescape((await nurse.get(f"/dossiers/{place.patient}/equipe")).text)
        for words in ("jusqu'au 1er mai 2099", "organisation formelle", "la personne en a été informée"):
            assert words in page
        ending = {"act": "end", "member": chosen, "since": role["period"]["start"], "team": (await team(place))["id"]}
        assert (await send(nurse, place, **{**ending, "since": "2019"})).status_code == 400
        assert (await send(nurse, place, **ending)).status_code == 303
        gone = next(one for one in (await team(place))["participant"] if one["member"]["reference"] == chosen)
        over = period(gone["period"])  # not the rest of the second
        assert over is not None and over.end <= await place.house.database.now()
        assert "Ont fait partie de l'équipe" in html.unescape(
            (await nurse.get(f"/dossiers/{place.patient}/equipe")).text
        )


async def test_who_is_not_in_the_team_sees_no_page_and_changes_nothing(place: Place) -> None:
    async with place.signed_in() as nurse:
        path = f"/dossiers/{place.other_patient}/equipe"
        assert (await nurse.get(path)).status_code == 404
        csrf = field((await nurse.get(f"/dossiers/{place.patient}/equipe")).text, "csrf")
        form = {"csrf": csrf, "act": "invite", "member": "PractitionerRole/" + "0" * 32, "basis": "invited"}
        assert (await nurse.post(path, data=form)).status_code == 404
        assert (await nurse.post(f"/dossiers/{place.patient}/equipe", data=form)).status_code == 404


@pytest.mark.parametrize("role", ["substitute", "trainee"])
async def test_who_stands_in_is_told_with_dates_and_authorisation(place: Place, role: str) -> None:
    async with place.signed_in() as nurse:
        await place.house.database.writing.execute(
            "update held_role set acts_for = (select fhir_res from account where username = 'nurse'), role_code = $1,"
            " valid_to = '2099-03-01' where role_code = 'coordinator'",
            role,
        )
        # Named in the team as a person: who stands in may name either.
        page = html.unescape((await nurse.get(f"/dossiers/{place.patient}/equipe")).text)

        assert ("Remplacé par Camille BOTH du" if role == "substitute" else "Interne en stage : Camille BOTH") in page
        assert "1er mars 2099" in page
        assert "1 Mar 2099" in html.unescape((await nurse.get(f"/dossiers/{place.patient}/equipe?lang=en")).text)


@pytest.mark.parametrize(
    "role", ["dpo", "auditor", "admin", "referent", "call-handler", "coordinator-admin", "substitute", "secretary"]
)
async def test_nobody_whose_role_no_care_team_holds_is_offered(place: Place, role: str) -> None:
    """The list of « Accueillir » is the same."""
    async with place.signed_in() as nurse:
        chosen = await somebody(nurse, place, "coordinator")
        maker = await internal.open_session(place.house.database.writing, "sandbox")
        tree = json.loads((await place.house.engine.handle(maker, Request("GET", chosen))).body)
        tree["code"] = [{"coding": [{"system": vocabulary.ROLE, "code": role}]}]
        answer = await place.house.engine.handle(maker, Request("PUT", chosen, "", json.dumps(tree).encode()))
        assert answer.status == 200, answer.body
        assert chosen not in (await nurse.get(f"/dossiers/{place.patient}/equipe")).text


@pytest.mark.parametrize(
    ("end", "told"),
    [
        ("2099-05-01", "1er mai 2099"),
        ("2099-05-02T00:00:00+02:00", "1er mai 2099"),
        ("2099-05-01T22:00:00Z", "1er mai 2099"),
        ("2099-05-01T21:59:59Z", "1er mai 2099"),
        ("2099-05-01T08:00:00+02:00", "1er mai 2099"),
        ("2099-05", "31 mai 2099"),
        ("2099", "31 déc. 2099"),
    ],
    ids=str,
)
async def test_the_last_day_is_told_as_it_is(place: Place, end: str, told: str) -> None:
    """A day that is named counts whole; a moment does not: what ends at midnight has ended the day before."""
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    tree = await team(place)
    tree["participant"][0]["period"]["end"] = end
    written = Request("PUT", f"CareTeam/{tree['id']}", "", json.dumps(tree).encode())
    assert (await place.house.engine.handle(maker, written)).status == 200
    async with place.signed_in() as nurse:
        page = html.unescape((await nurse.get(f"/dossiers/{place.patient}/equipe")).text)

    assert f"jusqu'au {told}" in page


@pytest.mark.parametrize("end", ["2099-03-01", "2099-03-02T00:00:00+01:00"])
async def test_the_last_day_of_who_stands_in_is_told_as_it_is(place: Place, end: str) -> None:
    house = place.house
    maker = await internal.open_session(house.database.writing, "sandbox")
    coordinator, nurse = [
        house.store.reference(Key(0, kind_of("PractitionerRole"), number))
        for number in await house.database.reading.fetchrow(
            "select (select role from held_role where role_code = 'coordinator'), (select h.role from held_role h"
            " join account a on a.fhir_res = h.practitioner and a.username = 'nurse')"
        )
    ]
    tree = json.loads((await house.engine.handle(maker, Request("GET", coordinator))).body)
    tree["code"] = [{"coding": [{"system": vocabulary.ROLE, "code": "substitute"}]}]
    tree["extension"] = [{"url": vocabulary.ACTS_FOR, "valueReference": {"reference": nurse}}]
    tree["period"] = {"start": "2026-02-01", "end": end}
    answer = await house.engine.handle(maker, Request("PUT", coordinator, "", json.dumps(tree).encode()))
    assert answer.status == 200, answer.body
    shown = await team(place)
    shown["participant"][0]["member"] = {"reference": nurse}
    written = Request("PUT", f"CareTeam/{shown['id']}", "", json.dumps(shown).encode())
    assert (await house.engine.handle(maker, written)).status == 200

    async with place.signed_in() as browser:
        page = html.unescape((await browser.get(f"/dossiers/{place.patient}/equipe")).text)

    assert "Remplacé par Camille BOTH du 1er févr. 2026 au 1er mars 2099" in page


async def test_a_member_records_whom_the_person_declares(place: Place) -> None:
    """The page offers it to a nurse of the team, says what it means, and the doctor before stays in the team."""
    house = place.house
    maker = await internal.open_session(house.database.writing, "sandbox")

    async def sent(method: str, path: str, tree: dict[str, Any]) -> dict[str, Any]:
        answer = await house.engine.handle(
            maker, Request(method, path, "", json.dumps(tree).encode(), {"prefer": "return=representation"})
        )
        assert answer.status in (200, 201), answer.body
        stored: dict[str, Any] = json.loads(answer.body)
        return stored

    def role(person: str, code: str) -> dict[str, Any]:
        return {"resourceType": "PractitionerRole", "active": True, "practitioner": {"reference": person},
                "code": [{"coding": [{"system": vocabulary.ROLE, "code": code}]}]}  # fmt: skip

    number = await house.database.reading.fetchval(
        "select h.role from held_role h join account a on a.fhir_res = h.practitioner and a.username = 'nurse'"
    )
    mine = house.store.reference(Key(0, kind_of("PractitionerRole"), number))
    doctors = []
    for family in ("Avant", "Nouvelle"):
        person = await sent("POST", "Practitioner", {"resourceType": "Practitioner", "name": [{"family": family}]})
        made = await sent("POST", "PractitionerRole", role(f"Practitioner/{person['id']}", "gp"))
        doctors.append(f"PractitionerRole/{made['id']}")
    before, new = doctors
    pcp = [{"coding": [{"system": vocabulary.PARTICIPATION_FUNCTION, "code": "PCP"}]}]
    shown = await team(place)
    since = {"start": "2020-01-01"}
    members = [
        {"role": pcp, "member": {"reference": before, "display": "Dr Avant"}, "period": since},
        {"member": {"reference": new, "display": "Dr Nouvelle"}, "period": since},
        {"member": {"reference": mine}, "period": since},
    ]
    await sent("PUT", f"CareTeam/{shown['id']}", {**shown, "participant": members})

    async with place.signed_in() as browser:
        path = f"/dossiers/{place.patient}/equipe"
        page = html.unescape((await browser.get(path)).text)
        assert "Quel médecin ?" in page
        assert f'value="{new}"' in page
        assert "Le médecin traitant d'avant reste dans l'équipe" in page
        form = {"act": "attending", "doctor": new}
        assert (await send(browser, place, **form)).status_code == 400
        again = await send(browser, place, act="attending", doctor=before, means="oral")
        assert again.status_code == 409
        assert "Ce médecin est déjà son médecin traitant" in html.unescape(again.text)
        assert (await send(browser, place, **form, means="oral")).status_code == 303
        page = html.unescape((await browser.get(path)).text)
        agreed = html.unescape((await browser.get(f"/dossiers/{place.patient}/accords")).text)
        assert "Médecin traitant déclaré" in agreed

    participants = [one for one in (await team(place))["participant"] if "end" not in one["period"]]
    assert sorted(one["member"]["reference"] for one in participants) == sorted((before, mine, new))
    assert [one["member"]["reference"] for one in participants if is_attending(one)] == [new]
    assert "Dr Nouvelle" in page.partition("Médecin traitant</strong>")[0]
