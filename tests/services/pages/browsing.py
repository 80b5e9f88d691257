"""What a person does on a page, over HTTP: sends one of its forms, and reads its words."""

import html
import re
from datetime import datetime

import httpx

from liaison.fhir.model.dates import ZONE

from ..oauth.conftest import field


async def say(browser: httpx.AsyncClient, page: str, path: str = "", **form: str) -> httpx.Response:
    shown = await browser.get(page)
    return await browser.post(path or page, data={"csrf": field(shown.text, "csrf"), **form})


def text(answer: httpx.Response) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def today() -> str:
    """The day on the pages. A module is found before midnight, and may be run after it: never a constant."""
    return datetime.now(ZONE).date().isoformat()
