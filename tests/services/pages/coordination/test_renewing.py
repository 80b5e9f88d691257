"""After an upgrade the coordinators' pages say that they are not complete, and how far it is, until the pass has ended."""

import pytest

from liaison.fhir.search.index import GENERATION
from liaison.services.jobs.indexing import renew

from ...oauth.conftest import Place, place, settings
from ..browsing import text

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

        await renew(one, place.house.store, place.house.journal)
        assert SAID[language].partition("}")[2].lstrip(" %") not in await said(place, language)
