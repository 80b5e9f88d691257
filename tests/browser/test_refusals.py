"""People who may not see: the page for them is the page of a record that does not exist, to the letter."""

import re

import pytest
from playwright.async_api import Page

from .conftest import Desks, heading

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

NOBODY = "0" * 32


async def page_of(page: Page, path: str, id_: str) -> tuple[int, str]:
    """Status and HTML, without the form's token and the id that was asked for."""
    response = await page.goto(path.format(id=id_))
    assert response is not None
    text = re.sub(r'name="csrf" value="[^"]*"', "", await page.content())
    return response.status, text.replace(id_, "ID")


@pytest.mark.parametrize(
    ("who", "patient"),
    [
        ("nurse", "opposed_nurse"),  # the person opposes her by name
        ("hospital_doctor", "bpco_07"),  # the stay ended five days ago
        ("hospital_doctor", "bpco_03"),  # never stayed
        ("gp_outside", "bpco_04"),  # not on the team
        ("coordinator", "psychiatry"),
    ],
)
async def test_a_hidden_record_is_one_that_does_not_exist(desks: Desks, who: str, patient: str) -> None:
    page = await desks.sign_in(who)
    for path in ("/dossiers/{id}", "/dossiers/{id}/mesures", "/dossiers/{id}/plan"):
        hidden = await page_of(page, path, desks.patient(patient))

        assert hidden == await page_of(page, path, NOBODY)
        assert hidden[0] == 404
        assert await heading(page) == "Rien ici"


async def test_the_doctor_of_a_stay_sees_that_record(desks: Desks) -> None:
    page = await desks.sign_in("hospital_doctor")

    status, _ = await page_of(page, "/dossiers/{id}", desks.patient("bpco_05"))

    assert status == 200


async def test_an_opposed_nurse_has_nobody_of_that_name_on_her_list(desks: Desks) -> None:
    page = await desks.sign_in("nurse")

    words = await page.locator("main").inner_text()

    assert "Jeannine Robic" in words
    assert "Moisan" not in words


async def test_a_substitute_whose_time_is_over_has_no_desk(desks: Desks) -> None:
    page = await desks.sign_in("substitute_expired")
    assert await heading(page) == "Aucun rôle en cours"

    for path in ("/dossiers", f"/dossiers/{desks.patient('bpco_07')}"):
        response = await page.goto(path)
        assert response is not None
        assert response.status == 404
        assert await heading(page) == "Rien ici"


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("aide", "/dossiers"),
        ("gp", "/journal"),
        ("auditor", "/dossiers"),
        ("patient_b", "/cohorte"),
        ("aide", "/accueillir"),
    ],
)
async def test_another_role_s_desk_is_not_there(desks: Desks, who: str, path: str) -> None:
    page = await desks.sign_in(who)

    status, _ = await page_of(page, path, NOBODY)

    assert status == 404


async def test_a_person_sees_no_one_else_s_accesses(desks: Desks) -> None:
    page = await desks.sign_in("patient_b")
    await page.goto(f"/journal/dossiers/{desks.patient('bpco_04')}")

    assert "Guillemot" not in await page.locator("main").inner_text()
