"""Who is concerned by a review or a case reads neither as an officer."""

import json
import re

import httpx

from ...oauth.conftest import Place, field
from ..browsing import say, text
from .test_unusual import CASES, RULES, found_at_fault


async def lines_about(officer: httpx.AsyncClient) -> set[str]:
    """What the journal says of the review and of the case, by the export of an officer."""
    exported = (await officer.get("/journal/export.ndjson")).text
    acts = {"review-of-an-unusual-access", "step-of-a-case", "case", "unusual-access"}
    lines = [json.loads(line) for line in exported.splitlines()]
    return {one["name"] for line in lines for one in line.get("entity", ()) if one.get("name") in acts}


async def test_nobody_reads_their_own_case(place: Place, officer: httpx.AsyncClient) -> None:
    case = await found_at_fault(place, officer)
    where = re.sub(r"\D", "", str(await place.house.database.reading.fetchval("select access from unusual_access")))
    await say(officer, case, etape="ask-employer", pourquoi="Courrier du jour")
    assert f'href="{case}"' in (await officer.get("/avis")).text
    assert await lines_about(officer) >= {
        "review-of-an-unusual-access",
        "step-of-a-case",
        "case",
    }  # and is seen of another

    own = await place.house.database.reading.fetchval(
        "select practitioner from held_role where role_code = 'dpo' limit 1"
    )
    for table in ("review_case", "unusual_access"):
        await place.house.database.writing.execute(f"update {table} set person = $1", own)

    assert "Aucune affaire" in text(await officer.get(CASES))
    for path in (case, f"{case}/feuille", f"/journal/inhabituels/{where}"):
        assert (await officer.get(path)).status_code == 404, path
    page = await officer.get(RULES)
    step = {"etape": "close", "pourquoi": "Fini", "csrf": field(page.text, "csrf")}
    assert (await officer.post(case, data=step)).status_code == 404
    assert f'href="{case}"' not in (await officer.get("/avis")).text
    assert await lines_about(officer) == set()
