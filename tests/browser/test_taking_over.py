"""A weekend replacement, from nobody to her first visit: the manager adds her and gives her the tour of whoever is away."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Page

from ..services.pages.conftest import check_page
from .conftest import Desks, heading, press, told
from .test_home_care import counted, touches

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ZONE = ZoneInfo("Europe/Paris")
AWAY = "Kévin Briand"
NAME = "Nolwenn Guivarch"
PIN = "271828"
A_WEEK_ON = (date.today() + timedelta(days=7)).isoformat()
"""Until then she replaces: on a Sunday evening the tour of Monday has begun to open records."""


def lines(desks: Desks, aide: str) -> list[dict[str, Any]]:
    """The visits to come of one role, as the manager's own software finds them."""
    return desks.resources("home_service_manager", f"Appointment?actor={aide}&status=booked&_count=100&_sort=date")


def open_to(desks: Desks, aide: str) -> set[str]:
    """The people whose record a visit of this aide's own holds open now: from 18 h the evening before until 24 h after its end,
    whether it took place yet or not (note to the table)."""
    now = datetime.now(ZONE)
    since = (now - timedelta(days=2)).isoformat(timespec="seconds")
    hers = desks.resources("home_service_manager", f"Appointment?actor={aide}&date=ge{quote(since)}&_count=200")
    return {
        one["actor"]["reference"].partition("/")[2]
        for line in hers
        if line["status"] in {"booked", "arrived", "checked-in", "fulfilled"}
        if evening_before(line["start"]) <= now < datetime.fromisoformat(line["end"]) + timedelta(hours=24)
        for one in line["participant"]
        if one["actor"].get("reference", "").startswith("Patient/")
    }


def evening_before(start: str) -> datetime:
    day = datetime.fromisoformat(start).astimezone(ZONE).date() - timedelta(days=1)
    return datetime.combine(day, time(18), ZONE)


def whom(visit: str) -> str:
    """The patient of a visit's link."""
    return re.split(r"[/?]", visit)[2]


async def choose(page: Page, absent: str, taker: str) -> None:
    await page.goto("/equipe/tournee")
    await page.get_by_label("Qui est absent").select_option(label=absent)
    await page.get_by_label("Qui prend ses visites").select_option(label=taker)
    await page.get_by_label("Au", exact=True).fill(A_WEEK_ON)
    await press(page, page.get_by_role("button", name="Voir les visites"))


async def give(page: Page, absent: str, taker: str) -> None:
    await choose(page, absent, taker)
    await press(page, page.get_by_role("button", name=f"Donner ces visites à {taker}"))


@pytest.mark.timeout(600)
async def test_a_weekend_replacement_has_the_tour_of_whom_she_replaces(desks: Desks) -> None:
    away = desks.person("aide2")["practitioner_role"]
    before = lines(desks, away)
    absent = await desks.sign_in("aide2")
    # What is done already is nobody else's to take.
    tour = await absent.locator(".liaison-card:not(.liaison-card--done) h2", has_text=" · ").all_inner_texts()
    visits = [await one.get_attribute("href") or "" for one in await absent.get_by_role("link", name="Visite ").all()]

    phone = await desks.sign_in("home_service_manager")
    await counted(desks, phone)
    await press(phone, phone.get_by_role("link", name="Mon équipe"))
    await phone.get_by_label("Nom", exact=True).fill(NAME.split()[1])
    await phone.get_by_label("Prénom").fill(NAME.split()[0])
    await press(phone, phone.get_by_role("button", name="Ajouter et donner un code"))
    shown = re.search(r"Identifiant (\S+) .*Les 8 chiffres : (\d{4}) (\d{4})", await told(phone))
    assert shown

    await press(phone, phone.get_by_role("link", name="Lui donner une tournée"))
    assert await phone.get_by_label("Qui prend ses visites").locator("option:checked").inner_text() == NAME
    await phone.get_by_label("Qui est absent").select_option(label=AWAY)
    await phone.get_by_label("Au", exact=True).fill(A_WEEK_ON)
    await press(phone, phone.get_by_role("button", name="Voir les visites"))
    await check_page(phone)
    given = await phone.get_by_role("checkbox", checked=True).count()
    assert given >= len(tour) > 0
    await press(phone, phone.get_by_role("button", name=f"Donner ces visites à {NAME}"))
    await check_page(phone)
    assert await phone.get_by_role("region", name="Les visites de").get_by_role("listitem").count() == given
    assert await touches(phone) <= 6  # beside typing a name, and choosing one in a list

    # Each line has changed hands, under the manager's name, and nothing else of it has changed.
    moved = [one for one in before if one["id"] not in {left["id"] for left in lines(desks, away)}]
    assert len(moved) == given
    asked = ",".join(old["id"] for old in moved)
    after = {one["id"]: one for one in desks.resources("home_service_manager", f"Appointment?_id={asked}&_count=100")}
    for old in moved:
        now = after[old["id"]]
        names = [one["actor"].get("display", "") for one in now["participant"]]
        assert [one for one in names if NAME in one], names
        assert {**old, "participant": [], "meta": {}} == {**now, "participant": [], "meta": {}}
    [history] = desks.resources("auditor", f"AuditEvent?entity=Appointment/{moved[0]['id']}&action=U&_count=1")
    assert history["agent"][0]["who"]["reference"] == desks.person("home_service_manager")["practitioner"]

    # The phone passes on: she chooses her code, and has the day before her and nothing more. The absent one has neither.
    await press(phone, phone.get_by_role("button", name="Se déconnecter"))
    await phone.goto("/premier-code")
    await phone.get_by_label("Identifiant").fill(shown[1])
    await phone.get_by_label("Les 8 chiffres").fill(shown[2] + shown[3])
    await phone.get_by_label("Votre code à vous").fill(PIN)
    await phone.get_by_label("Le même").fill(PIN)
    await press(phone, phone.get_by_role("button", name="Enregistrer et entrer"))
    assert await heading(phone) == "Aujourd'hui"
    assert await phone.locator("h2", has_text=" · ").all_inner_texts() == tour
    await press(phone, phone.get_by_role("link", name="Visite ").first)
    assert await phone.get_by_role("button", name="Enregistrer la visite").is_visible()
    await absent.goto("/aujourdhui")
    assert await absent.locator(".liaison-card:not(.liaison-card--done) h2", has_text=" · ").count() == 0
    still = open_to(desks, away)
    for visit in visits:
        await absent.goto(visit)
        assert (await heading(absent) == "Rien ici") is (whom(visit) not in still)
    someone = min(visits, key=lambda visit: whom(visit) in still)

    # Back again: the tour is whole.
    phone = await desks.sign_in("home_service_manager")
    await give(phone, NAME, AWAY)
    assert {one["id"] for one in lines(desks, away)} == {one["id"] for one in before}
    await absent.goto(someone)
    assert await absent.get_by_role("button", name="Enregistrer la visite").is_visible()

    # Somebody refuses the replacement, and says it to the office: their visit is not hers to take, and the page says so.
    patient = whom(someone)
    role = next(one["actor"]["reference"] for one in now["participant"] if NAME in one["actor"].get("display", ""))
    against = {"name": "against", "valueReference": {"reference": role}}
    said = {"resourceType": "Parameters", "parameter": [against, {"name": "means", "valueCode": "oral"}]}
    assert (
        desks.territory.post(
            desks.territory.token("home_service_manager"), f"Patient/{patient}/$oppose", said
        ).status_code
        == 201
    )
    await choose(phone, AWAY, NAME)
    assert f"Cette personne a refusé que {NAME} ouvre son dossier" in await told(phone)
    assert 0 < await phone.get_by_role("checkbox").count() < given
