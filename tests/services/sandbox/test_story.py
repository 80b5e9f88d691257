"""A year and a half of somebody with BPCO, played by the people of the sandbox through their pages and over FHIR, one chapter of the
guided tour after the other; each leaves in the record what the tour says, and the next stands on it."""

import html
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from liaison.protocols import codes
from liaison.protocols.workdays import next_working
from liaison.services.pages.welcome.story import BIRTH, FAMILY, GIVEN, PATIENT, STORY

from ..pages.browsing import today
from ..running_sandbox import Running
from .conftest import behind, hidden
from .home_visit import opened, words

pytestmark = pytest.mark.http
Tree = dict[str, Any]
TODAY = date.fromisoformat(today())
FOLLOW_UP, EDUCATION, AFTER_STAY = (
    f"{codes.LOCAL}/PlanDefinition/{one}" for one in ("bpco", "bpco-etp", "bpco-after-stay")
)


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


class Story:
    """Who is told of, and what the chapters so far have left in the record."""

    def __init__(self, sandbox: Running) -> None:
        self.sandbox = sandbox
        self.patient = self.alert = self.session = ""

    def behind(self, door: str) -> AbstractContextManager[httpx.Client]:
        return behind(self.sandbox, door)

    def role(self, key: str) -> str:
        return next(str(one["practitioner_role"]) for one in self.sandbox.known["people"] if one["key"] == key)

    def found(self, who: str, type_: str, query: str = "") -> list[Tree]:
        path = f"{type_}?patient={self.patient}&_count=200{query and '&'}{query}"
        answer = self.sandbox.get(self.sandbox.token(who), path)
        assert answer.status_code == 200, answer.text
        return [one["resource"] for one in answer.json().get("entry", [])]

    def calls(self, key: str) -> None:
        """What the tour has the software of people send in this chapter."""
        people = {str(one["key"]): one for one in self.sandbox.known["people"]}
        [chapter] = [one for one in STORY if one.key == key]
        for call in chapter.calls:
            text = json.dumps(call.resource(TODAY, people)).replace(json.dumps(PATIENT)[1:-1], self.patient)
            tree = json.loads(text)
            answer = self.sandbox.post(self.sandbox.token(call.door), tree["resourceType"], tree)
            assert answer.status_code == 201, answer.text

    def post(self, browser: httpx.Client, path: str, **form: Any) -> httpx.Response:
        """The form of that page, sent as it was read."""
        page = browser.get(path)
        assert page.status_code == 200, page.text
        kept = {"version": hidden(page.text, "version")} if 'name="version"' in page.text else {}
        answer = browser.post(path.partition("?")[0], data={"csrf": hidden(page.text, "csrf"), **kept, **form})
        assert answer.status_code == 303, words(answer)
        return answer

    @property
    def subject(self) -> Tree:
        return {"reference": f"Patient/{self.patient}"}

    def plan(self, protocol: str) -> Tree:
        [one] = [
            plan
            for plan in self.found("gp", "CarePlan")
            if plan.get("instantiatesCanonical", [""])[0].startswith(f"{protocol}|")
        ]
        return one

    def step(self, code: str, plan: Tree) -> Tree:
        """The first of that code in the plan, by its day."""
        steps = [
            one
            for one in self.found("coordinator", "Task", f"code={codes.STEP}|{code}")
            if one["basedOn"][0]["reference"] == f"CarePlan/{plan['id']}"
        ]
        return min(steps, key=due)

    def apply(self, browser: httpx.Client, protocol: str) -> None:
        """Seen first, then applied."""
        path = f"/cohorte/appliquer/{self.patient}?protocole={protocol}"
        assert "(source non relue)" in words(browser.get(path))
        self.post(browser, path, protocole=protocol)

    def done(self, browser: httpx.Client, task: Tree, day: str) -> None:
        self.post(browser, f"/cohorte/etapes/{task['id']}", action="done", day=day, reason="")


def due(task: Tree) -> str:
    return str(task["restriction"]["period"]["end"])


def suspected(story: Story) -> None:
    """The doctor opens the record with whoever will be needed, writes down the suspicion, and applies the follow-up."""
    team = {key: story.role(key) for key in ("nurse", "coordinator", "hospital_doctor")}
    [service] = {
        str(one["organization"]) for one in story.sandbox.known["people"] if one["key"] == "home_service_manager"
    }
    with story.behind("gp") as browser:
        csrf = hidden(browser.get("/accueillir").text, "csrf")
        form = {
            "birth": BIRTH.isoformat(),
            "family": FAMILY,
            "given": GIVEN,
            "sex": "female",
            "ins_kind": "10",
            "informed": "oral",
            "opposed": "no",
        }
        bases = {f"basis-{one}": "recognised" for one in (*team.values(), service)}
        bases[f"basis-{team['nurse']}"] = "recognised"
        answer = browser.post(
            "/accueillir", data={"csrf": csrf, "step": "register", **form, **bases, "member": [*team.values(), service]}
        )
        assert answer.status_code == 303, words(answer)
        story.patient = answer.headers["location"].rpartition("/")[2]
        problems = f"/dossiers/{story.patient}/problemes"
        for wrong, field in ({"certain": "provisional"}, "words"), ({"code": "J44.9"}, "certain-provisional"):
            refused = browser.post(problems, data={"csrf": csrf, **wrong})
            assert (refused.status_code, f'href="#{field}"' in refused.text) == (422, True)
        story.post(browser, problems, code="J44.9", words="", certain="provisional", since=ago(548))
        story.apply(browser, FOLLOW_UP)
        assert re.search(r"BPCO, début : \S+ \(provisoire\)", words(browser.get(f"/dossiers/{story.patient}")))

    spirometry, scores = (story.step(one, story.plan(FOLLOW_UP)) for one in ("spirometry", "scores"))
    assert spirometry["status"] == "requested"
    assert scores["owner"]["reference"] == story.role("nurse"), "of the team that the form made"


def spirometry(story: Story) -> None:
    """The lung specialist of the hospital writes the measure on the day when it was taken; the coordinator notes the step on its true
    day, and the follow-up has a grade."""
    with story.behind("hospital_doctor") as browser:
        path, page = f"/dossiers/{story.patient}/mesures/ajouter", browser.get(f"/dossiers/{story.patient}/mesures")
        typed = {"csrf": hidden(page.text, "csrf"), "code": "20152-5", "value": "46"}
        late = browser.post(path, data={**typed, "day": ago(-1)})
        assert (late.status_code, 'href="#day"' in late.text) == (400, True)
        assert browser.post(path, data={**typed, "day": ago(525)}).status_code == 303
        breathless = browser.post(path, data={**typed, "code": "870179002", "value": "2", "day": ago(525)})
        assert "2 – note : Marche moins vite que les gens de son âge" in words(
            browser.get(breathless.headers["location"])
        )
    [measured] = story.found("gp", "Observation", "code=20152-5")
    assert (measured["effectiveDateTime"], measured["valueQuantity"]["value"]) == (ago(525), 46)
    with story.behind("coordinator") as browser:
        task = story.step("spirometry", story.plan(FOLLOW_UP))
        story.done(browser, task, ago(525))
        assert f"{GIVEN} {FAMILY}" in html.unescape(browser.get("/cohorte?nom=kergoat").text)
    [task] = [one for one in story.found("gp", "Task", f"code={codes.STEP}|spirometry") if one["status"] == "completed"]
    assert task["executionPeriod"] == {"start": ago(525), "end": ago(525)}


def educated(story: Story) -> None:
    """The programme: agreed to, applied, a session planned, held and noted, an objective reached."""
    with story.behind("coordinator") as browser:
        agreements = f"/dossiers/{story.patient}/accords"
        assert f'href="{agreements}"' in browser.get("/cohorte?nom=kergoat").text, "still to be asked for"
        story.post(browser, agreements, act="agreed", means="paper")
        assert "Elle est d'accord pour y entrer" not in words(browser.get(agreements))
        assert "Retirer cet accord" in words(browser.get(agreements))
        story.apply(browser, EDUCATION)
        page = html.unescape(browser.get("/seances/nouvelle").text)
        workshop = re.findall(r'<option value="([^"]+#session-1)"', page)[0]
        mine = re.findall(r'name="held_by" type="checkbox" value="([^"]+)"', page)[0]
        place = re.findall(r'<option value="(Location/[^"]+)"', page)[0]
        made = story.post(
            browser, "/seances/nouvelle", workshop=workshop, day=ago(30), at="14:00", duration="90", capacity="8",
            place=place, held_by=mine,
        )  # fmt: skip
        story.session = made.headers["location"]
        task = story.step("etp-session", story.plan(EDUCATION))
        story.post(browser, story.session, act="enrol", step=task["id"])
        row = browser.get(story.session).text.split(FAMILY)[1]
        appointment = hidden(row, "appointment")
        story.post(browser, story.session, act="came", appointment=appointment)
        row = browser.get(story.session).text.split(FAMILY)[1]
        story.post(browser, story.session, act="goal", goal=hidden(row, "goal"))
    [attended] = [one for one in story.found("gp", "Appointment") if one.get("slot")]
    assert attended["status"] == "fulfilled"
    assert [one for one in story.found("gp", "Goal") if "achievementStatus" in one]


def breathless(story: Story) -> None:
    """The aide finds her more breathless on a visit, and says so in four touches: the alert goes to the nurse and the doctor."""
    with story.behind("home_service_manager") as browser:
        aide = re.findall(r'<option value="([^"]+)">Sylvie Le Dantec', browser.get("/service/tournees").text)[0]
        csrf = hidden(browser.get("/service/tournees").text, "csrf")
        line = {
            "personne": story.patient,
            "aide": aide,
            "debut": "00:30",
            "fin": "23:30",
            "consigne": "Toilette et repas",
        }
        made = browser.post("/service/tournees/ajouter", data={"csrf": csrf, "jour": today(), "formulaire": "", **line})
        assert made.status_code == 303, words(made)
    with story.behind("aide") as browser:
        assert f"{GIVEN} {FAMILY[0]}." in browser.get("/aujourdhui").text
        sent = opened(story.sandbox, browser, story.patient).send(
            {
                "presence": "present",
                "general": "less-well",
                "breath": "breath-more",
                "sputum": "sputum-yes",
                "note": "S'arrête entre deux pièces.",
            }
        )
        assert sent.status_code == 200
    [alert] = [
        one
        for one in story.found("nurse", "Task")
        if any(c["system"] == codes.ALERT_LEVEL for c in one["code"]["coding"])
    ]
    story.alert = alert["id"]
    assert (alert["status"], alert["owner"]["reference"]) == ("requested", story.role("nurse"))


def answered(story: Story) -> None:
    """« J'ai vu », and one line that comes back to the aide."""
    with story.behind("nurse") as browser:
        page = browser.get(f"/dossiers/{story.patient}")
        assert "S'arrête entre deux pièces" in html.unescape(page.text)
        data = {"csrf": hidden(page.text, "csrf"), "instruction": "Je passe à 14 h. Qu'elle reste assise."}
        assert browser.post(f"/dossiers/{story.patient}/alertes/{story.alert}", data=data).status_code == 303
        written = f"/dossiers/{story.patient}/documents"
        csrf = hidden(browser.get(written).text, "csrf")
        address = f"/dossiers/{story.patient}/notes"
        assert browser.post(address, data={"csrf": csrf, "note": " "}).status_code == 400
        assert browser.post(address, data={"csrf": csrf, "note": "Vue à 14 h, <mieux> assise."}).status_code == 303
    with story.behind("gp") as browser:
        read = words(browser.get(written))
        assert "Note de liaison" in read
        assert "Vue à 14 h, <mieux> assise." in read
    with story.behind("aide") as browser:
        assert "Je passe à 14 h." in html.unescape(browser.get("/aujourdhui").text)


def exacerbated(story: Story) -> None:
    """The doctor writes it down; the coordinator suspends the programme, with its reason: nobody is late with it."""
    with story.behind("gp") as browser:
        story.post(
            browser, f"/dossiers/{story.patient}/problemes", code="J44.1", words="", certain="confirmed", since=ago(16)
        )
    with story.behind("coordinator") as browser:
        story.post(
            browser,
            f"/cohorte/plans/{story.plan(EDUCATION)['id']}",
            act="suspend",
            reason="Exacerbation, hospitalisation",
        )
        told = words(browser.get(f"/dossiers/{story.patient}/plan"))
        assert "Suspendu : Exacerbation, hospitalisation" in told
        assert "excusé" not in told
    plan = story.plan(EDUCATION)
    assert plan["status"] == "on-hold"
    left = [
        one
        for one in story.found("gp", "Task")
        if one.get("basedOn", [{}])[0].get("reference") == f"CarePlan/{plan['id']}"
    ]
    assert {one["status"] for one in left} == {"completed", "on-hold"}


def stayed(story: Story) -> None:
    """The software of the hospital says that she was admitted, then that she left: by what the tour has one paste, with her number in it."""
    with story.behind("gp") as browser:
        assert f"Patient/{story.patient}" in html.unescape(browser.get("/territoire/histoire").text)
    story.calls("stayed")
    [seen] = [one for one in story.found("gp", "Encounter") if one["class"]["code"] == "IMP"]
    assert seen["status"] == "finished"


def visited(story: Story) -> None:
    """Back home: the protocol counts seven days from the day she left, and the nurse notes the visit on its true day."""
    with story.behind("nurse") as browser:
        story.apply(browser, AFTER_STAY)
        task = story.step("after-stay-7-days", story.plan(AFTER_STAY))
        assert due(task) == next_working(TODAY - timedelta(days=2)).isoformat()
        plan = f"/dossiers/{story.patient}/plan"
        [link] = re.findall(rf'href="(/cohorte/etapes/{task["id"]}[^"]*)"', browser.get(plan).text)
        noted = story.post(browser, link, action="done", day=ago(3), reason="", retour="plan")
        assert noted.headers["location"] == plan, "and back to where it was opened"
    assert [
        one["executionPeriod"]["end"] for one in story.found("gp", "Task", f"code={codes.STEP}|after-stay-7-days")
    ] == [ago(3)]


def resumed(story: Story) -> None:
    """The programme is taken up again: what was to come is still to come, and the doctor sees all of it at once."""
    with story.behind("coordinator") as browser:
        story.post(browser, f"/cohorte/plans/{story.plan(EDUCATION)['id']}", act="resume")
    assert story.plan(EDUCATION)["status"] == "active"
    assert story.step("etp-evaluation", story.plan(EDUCATION))["status"] == "requested"
    with story.behind("gp") as browser:
        plan = words(browser.get(f"/dossiers/{story.patient}/plan"))
        assert "Suivi de la BPCO" in plan
        assert "Mieux respirer au quotidien" in plan
        assert "Retour de l'hôpital" in plan
        assert "Repris le jour même." in plan


PLAYED: dict[str, Callable[[Story], None]] = {
    one.__name__: one
    for one in (suspected, spirometry, educated, breathless, answered, exacerbated, stayed, visited, resumed)
}


@pytest.fixture
def story(sandbox: Running) -> Iterator[Story]:
    """Her plans end with the test: others count who is followed."""
    made = Story(sandbox)
    yield made
    for plan in made.found("coordinator", "CarePlan") if made.patient else ():
        why = {"resourceType": "Parameters", "parameter": [{"name": "reason", "valueCode": "moved"}]}
        assert sandbox.post(sandbox.token("coordinator"), f"CarePlan/{plan['id']}/$end", why).status_code < 300


def test_each_chapter_of_the_tour_is_played_and_stands_on_the_one_before(sandbox: Running, story: Story) -> None:
    assert [chapter.key for chapter in STORY] == list(PLAYED)
    told = words(httpx.get(f"{sandbox.known['issuer']}/territoire/histoire"))
    assert all(text in told for text in (FAMILY, GIVEN))
    for chapter in STORY:
        assert chapter.title in told
        PLAYED[chapter.key](story)


def test_a_pharmacist_keeps_the_plan_of_those_whom_they_follow(sandbox: Running) -> None:
    """Their own steps, and a protocol to apply, as the table gives them; the cohort stays with those who follow programmes."""
    lorho = next(one["id"] for one in sandbox.known["patients"] if one["name"] == "Annick Lorho")
    with behind(sandbox, "pharmacist") as browser:
        page = browser.get(f"/dossiers/{lorho}/plan")
        assert f'href="/cohorte/appliquer/{lorho}"' in page.text
        assert browser.get(f"/cohorte/appliquer/{lorho}").status_code == 200
        steps = re.findall(r'href="(/cohorte/etapes/[0-9a-f]+)[^"]*">Comparaison des traitements', page.text)
        csrf, version = (hidden(browser.get(steps[0]).text, one) for one in ("csrf", "version"))
        unsaid = browser.post(steps[0], data={"csrf": csrf, "version": version, "day": today()})
        assert (unsaid.status_code, "Choisissez ce qui s'est passé." in words(unsaid)) == (400, True)
        assert 'href="/cohorte"' not in unsaid.text
        assert browser.get("/cohorte").status_code == 404
        assert 'href="/reunions"' in unsaid.text
        assert 'href="/cohorte"' not in browser.get("/reunions").text
        assert 'href="/seances"' not in unsaid.text
    with behind(sandbox, "physio") as browser:
        menu = browser.get("/dossiers").text
        assert all(f'href="{one}"' in menu and browser.get(one).status_code == 200 for one in ("/seances", "/reunions"))
