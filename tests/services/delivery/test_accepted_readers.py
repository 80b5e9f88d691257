"""An alert goes to whoever of the team has accepted in writing and is there; with nobody there it says so."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from liaison.services.pages.clock import PARIS

from ..oauth.conftest import field
from ..pages.browsing import text
from ..running_sandbox import Running
from .telephone import Telephone, person
from .test_service_desk import raised

pytestmark = pytest.mark.http
PATH = "/service/destinataires"


def test_a_team_that_other_software_wrote_has_readers(telephone: Telephone, sandbox: Running) -> None:
    """As bare references, to people and to roles: the directory says what they do."""
    token, patient = sandbox.token("gp"), telephone.someone["patient"]
    [team] = [
        one["resource"] for one in sandbox.get(token, f"CareTeam?patient={patient}&status=active").json()["entry"]
    ]
    nurse = person(sandbox, "nurse")["practitioner_role"]
    herself = sandbox.get(token, nurse).json()["practitioner"]["reference"]
    bare = [_bare(one, {nurse: herself}) for one in team["participant"]]
    assert herself in str(bare)
    plain = {name: value for name, value in team.items() if name != "meta"} | {"participant": bare}
    written = sandbox.put(token, f"CareTeam/{team['id']}", plain)
    assert written.status_code == 200, written.text
    try:
        [alert, *_] = raised(telephone, sandbox, oxygen=["oxygen-not-worn"])
        assert alert["owner"]["reference"] == nurse
        assert alert["owner"]["display"]
    finally:
        assert sandbox.put(token, f"CareTeam/{team['id']}", team).status_code == 200


def _bare(participant: dict[str, Any], people: dict[str, str]) -> dict[str, Any]:
    """Without name and function, but for the attending doctor, whom the person declares."""
    if "PCP" in str(participant.get("role")):
        return participant
    reference = participant["member"]["reference"]
    kept = {name: value for name, value in participant.items() if name != "role"}
    return {**kept, "member": {"reference": people.get(reference, reference)}}


def noted(manager: Telephone, who: str, **more: object) -> httpx.Response:
    page = manager.http.get(PATH).text
    form = {
        "qui": who,
        "jour": list("1234567"),
        "de": "00:00",
        "a": "",
        "accepte": "2026-01-05",
        "ecrit": "oui",
        **more,
    }
    return manager.http.post(PATH, data={"csrf": field(page, "csrf"), **form})


def test_nobody_is_addressed_who_has_not_accepted(telephone: Telephone, manager: Telephone, sandbox: Running) -> None:
    assert "Personne n'est encore noté" in text(manager.http.get(PATH))
    nurse = person(sandbox, "nurse")["practitioner_role"]
    refused = noted(manager, nurse, ecrit="")
    assert "accepté par écrit" in text(refused)
    assert 'href="#ecrit"' in refused.text  # the field that is at fault
    assert "au moins un jour" in text(noted(manager, nurse, jour=[]))
    elsewhere = str((datetime.now(PARIS) + timedelta(days=3)).isoweekday())
    try:
        assert noted(manager, nurse, jour=[elsewhere]).status_code == 303
        assert "Personne ne lit les alertes en ce moment" in text(manager.http.get(PATH))
        [nobody, *_] = raised(telephone, sandbox, oxygen=["oxygen-not-worn"])
        assert nobody["owner"] == {"display": "À attribuer"}
        # The desk says so, and whom of the team to phone all the same.
        shown = text(manager.http.get(f"/service/alertes/{nobody['id']}"))
        assert "Personne n'est là pour lire cette alerte maintenant. Appelez. Dr " in " ".join(shown.split())

        assert noted(manager, nurse).status_code == 303
        [read, *_] = raised(telephone, sandbox, legs=["legs-more"])
        assert read["owner"]["reference"] == nurse
        assert "recipient" not in read["restriction"]  # the manager has not accepted
    finally:
        page = manager.http.get(PATH).text
        for card in page.split('<li class="liaison-card">')[1:]:
            form = {"csrf": field(card, "csrf"), "numero": field(card, "numero")}
            assert manager.http.post(f"{PATH}/fin", data=form).status_code == 303
    assert "Personne n'est encore noté" in text(manager.http.get(PATH))
