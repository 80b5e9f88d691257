"""After an upgrade the coordinators' pages say that they are not complete, and how far it is, until the pass has ended."""

import orjson
import pytest

from liaison.auth.access import internal
from liaison.auth.people import browsers
from liaison.fhir.search.index import GENERATION
from liaison.fhir.store.contract import Request
from liaison.protocols.library import shipped
from liaison.services.jobs.indexing import renew
from liaison.services.pages import cookies

from ...oauth.conftest import Place, place, settings
from ..browsing import text
from ..test_confined import choose

__all__ = ["place", "settings"]

SAID = {"fr": "{share} % des dossiers sont relus", "en": "{share}% of the records have been gone over"}


async def said(place: Place, language: str) -> str:
    async with place.signed_in() as nurse:
        return text(await nurse.get("/cohorte", params={"lang": language}))


@pytest.mark.parametrize("language", SAID)
async def test_the_cohort_says_how_far_the_pass_is_and_then_nothing(place: Place, language: str) -> None:
    async with place.house.database.writing.acquire() as one:
        assert SAID[language].partition("}")[2].lstrip(" %") not in await said(place, language)
        await one.execute("update reindexing set done = $1", GENERATION - 1)  # an upgrade: not begun
        assert SAID[language].format(share=0) in await said(place, language)
        records = await one.fetch("select patient from patient order by patient")
        await one.execute(
            "update reindexing set towards = $1, after_patient = $2, after_kind = 1, after_res = 1",
            GENERATION,
            records[0][0],
        )
        share = 100 // len(records)
        assert SAID[language].format(share=share) in await said(place, language)
        await one.execute("update reindexing set after_patient = $1", records[-1][0])
        assert SAID[language].format(share=99) in await said(place, language)  # the directory is left

        assert await counted(place, language) == ("pending", True)

        await renew(one, place.house.store, place.house.journal)
        assert SAID[language].partition("}")[2].lstrip(" %") not in await said(place, language)
        assert await counted(place, language) == ("complete", False)


async def counted(place: Place, language: str) -> tuple[str, bool]:
    """The status of a MeasureReport, and whether *Bilan* and its table both say that counts are not complete."""
    engine, tree = place.house.engine, next(iter(shipped().of_type("Measure")))
    maker = await internal.open_session(place.house.database.writing, "sandbox")
    asked = Request("POST", "Measure", "", orjson.dumps(tree), {"prefer": "return=representation"})
    measure = orjson.loads((await engine.handle(maker, asked)).body)
    async with place.signed_in("both") as browser:
        await choose(browser, "coordinator")
        shown = [await browser.get(f"/cohorte/indicateurs{end}", params={"lang": language}) for end in ("", ".csv")]
        signed = await browsers.find(place.house.database.reading, browser.cookies[f"__Host-{cookies.SESSION}"])
    assert signed is not None
    answer = await engine.handle(signed.caller, Request("GET", f"Measure/{measure['id']}/$evaluate-measure"))
    told = {SAID[language].format(share=99) in text(one) for one in shown}
    assert len(told) == 1
    return orjson.loads(answer.body)["status"], told.pop()
