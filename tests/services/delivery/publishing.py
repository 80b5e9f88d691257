"""The manager's desk publishes a form of a visit, and puts it on a tour line: what a browser would send."""

import json
from datetime import datetime
from html import unescape
from typing import Any

import httpx

from liaison.protocols import library
from liaison.protocols.forms import READY
from liaison.services.pages.clock import PARIS

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person

PATH = "/service/formulaires/visit-short"
MODEL = library.shipped().tree(READY["visit-short"])
FILLED = {
    "x-choice": ["c2"], "x-several": ["c1", "c3"], "x-boolean": ["true"], "x-integer": ["4"], "x-quantity": ["1,5"],
    "x-decimal": ["37.2"], "x-date": ["2026-11-28"], "x-text": ["La purée"], "x-string": ["Une pomme"],
}  # fmt: skip
"""As a browser sends ANSWERS."""


def carried(page: httpx.Response) -> dict[str, str]:
    """What goes from page to page with the form."""
    return {name: unescape(field(page.text, name)) for name in ("csrf", "base", "contenu", "sans")}


def brought(manager: Telephone, form: dict[str, Any]) -> httpx.Response:
    csrf = field(manager.http.get(PATH).text, "csrf")
    files = {"fichier": ("form.json", json.dumps(form).encode(), "application/json")}
    return manager.http.post(PATH, data={"csrf": csrf, "agir": "fichier"}, files=files)


def published(manager: Telephone, look: httpx.Response) -> httpx.Response:
    return manager.http.post(PATH, data={**carried(look), "agir": "publier"})


def edited(manager: Telephone, **changes: Any) -> dict[str, Any]:
    """The page of changes as a browser would send it."""
    page = manager.http.get(PATH).text
    asked = [one.split('"')[0] for one in page.split('name="pose" value="')[1:] if "checked" in one.split(">")[0]]
    kept = {name: unescape(field(page, name)) for name in ("csrf", "base", "contenu")}
    return {**kept, "pose-tous": "1", "pose": asked, **changes}


def add_line(manager: Telephone, sandbox: Running, patient: str, form: str, hour: str = "23:20") -> None:
    page = manager.http.get("/service/tournees").text
    options = page.split('id="aide"')[1].split("</select>")[0]
    role = options.split(f">{person(sandbox, 'aide')['name']}</option>")[0].rpartition('value="')[2].split('"')[0]
    data = {"csrf": field(page, "csrf"), "personne": patient, "aide": role, "formulaire": form}
    day = datetime.now(PARIS).date().isoformat()
    sent = manager.http.post("/service/tournees/ajouter", data={**data, "jour": day, "debut": hour, "fin": "23:50"})
    assert sent.status_code == 303, text(sent)
