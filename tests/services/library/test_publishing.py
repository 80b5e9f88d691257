"""A protocol written from scratch is checked, published while two workers serve, and run: no code, nothing started anew."""

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from liaison.protocols.calendar import State, entry

from ..conftest import Service
from ..console import typed
from .walking import PLAN, RULES, write

pytestmark = pytest.mark.http

URL = "https://walk.example/PlanDefinition/walking"
BY = ("--by", "Mme Essai, coordinatrice")
Tree = dict[str, Any]


def liaison(service: Service, *words: str) -> tuple[int, str]:
    """Exit code and all that it says, of `liaison protocol …` on the base of the service."""
    settings = service.settings
    named = {
        "LIAISON_DATABASE_URL": settings.database_url,
        "LIAISON_DATA": str(settings.data),
        "LIAISON_KEY_FILE": str(settings.key_file),
        "LIAISON_PUBLIC_URL": settings.public_url,
    }
    done = typed({**os.environ, **named}, "protocol", *words)
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def found(client: httpx.Client, path: str) -> list[Tree]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [one["resource"] for one in answer.json().get("entry", [])]


def apply(client: httpx.Client, definition: str, patient: str, **more: Any) -> httpx.Response:
    parameters = [{"name": "subject", "valueString": f"Patient/{patient}"}]
    parameters += [{"name": name, "valueBoolean": value} for name, value in more.items()]
    body = {"resourceType": "Parameters", "parameter": parameters}
    return client.post(f"/PlanDefinition/{definition}/$apply", json=body)


def weight(patient: str, kilos: float) -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": datetime.now(UTC).isoformat(timespec="seconds"),
        "valueQuantity": {"value": kilos, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
    }


def test_a_protocol_from_scratch_runs_without_code_or_restart(service: Service, tmp_path: Path) -> None:
    folder = write(tmp_path / "walking")
    before = service.workers
    code, told = liaison(service, "check", "--library", str(folder))
    assert (
        code,
        told.endswith("4 resources, no problem."),
        told.count("has no version: published now, it is 1.0.0 for good"),
    ) == (0, True, 2)
    at = next(
        n
        for n, line in enumerate(next(folder.glob("*.yaml")).read_text().splitlines(), 1)
        if "definitionCanonical" in line
    )
    assert f".yaml:{at}: https://walk.example/ActivityDefinition/walk has no version" in told, told
    code, told = liaison(service, "diff", "--library", str(folder))
    assert (code, told.count("nouveau :")) == (0, 4)
    code, told = liaison(service, "publish", "--library", str(folder), *BY)
    assert (code, f"publié : {URL}|1.0.0" in told) == (0, True), told
    assert liaison(service, "publish", "--library", str(folder), *BY) == (0, "0 publiés, 4 l'étaient déjà.")
    assert liaison(service, "diff", "--library", str(folder)) == (0, "Aucune différence.")
    assert BY[1] in liaison(service, "published")[1]

    patient = service.patient()
    with service.client("gp") as gp:
        [definition] = found(gp, f"/PlanDefinition?url={URL}")
        preview = apply(gp, definition["id"], patient, preview=True)
        assert preview.status_code == 200
        assert found(gp, f"/CarePlan?patient={patient}") == []
        made = apply(gp, definition["id"], patient)
        assert made.status_code == 201, made.text
        assert made.json()["instantiatesCanonical"] == [f"{URL}|1.0.0"]
        first, second = sorted(
            found(gp, f"/Task?patient={patient}"), key=lambda one: str(one["restriction"]["period"]["end"])
        )
        assert (first["description"], second["description"]) == ("Première marche", "Point avec le médecin")
        today = date.fromisoformat(made.json()["period"]["start"])
        assert [entry(one, today).state for one in (first, second)] == [State.DUE, State.DUE]
        assert entry(first, today + timedelta(days=20)).state is State.LATE
        done = {**first, "status": "completed", "executionPeriod": {"end": today.isoformat()}}
        answer = gp.put(f"/Task/{first['id']}", json=done, headers={"if-match": 'W/"1"'})
        assert answer.status_code == 200, answer.text
        assert entry(answer.json(), today + timedelta(days=20)).state is State.DONE

        assert gp.post("/Observation", json=weight(patient, 101)).status_code == 201
        until = time.monotonic() + 60
        while time.monotonic() < until and len(tasks := found(gp, f"/Task?patient={patient}")) < 3:
            time.sleep(0.1)
        [alert] = [one for one in tasks if one["description"] == "Poids au-dessus de 100 kg"]
        assert "https://walk.example/PlanDefinition/walking-signals|1.0.0#heavy" in str(alert["input"])
    assert service.workers == before


def test_what_is_published_is_not_changed(service: Service, tmp_path: Path) -> None:
    """Neither by a folder, whose file and line are named, nor over FHIR by an administrator."""
    folder = write(tmp_path / "walking")
    liaison(service, "publish", "--library", str(folder), *BY)
    write(folder, PLAN.replace("value: 2, unit: semaines", "value: 3, unit: semaines"))
    line = 1 + PLAN[: PLAN.index("value: 2, unit: semaines")].count("\n")
    code, told = liaison(service, "publish", "--library", str(folder), *BY)
    assert code == 1
    assert f"plan.yaml:{line}: {URL}|1.0.0 is published with other content" in told
    assert "3 semaines après" in liaison(service, "diff", "--library", str(folder))[1]
    write(folder, PLAN.replace("version: 1.0.0", "version: 0.9.0", 1))
    assert "plan.yaml:3: version 1.0.0 is in force" in liaison(service, "publish", "--library", str(folder), *BY)[1]
    write(folder, PLAN.replace("version: 1.0.0", "version: 1.1.0", 1), RULES.replace("livre}]", "autre}]"))
    code, told = liaison(service, "publish", "--library", str(folder), *BY)
    assert (code, "signals.yaml" in told, "nothing was published" in told) == (1, True, True)
    assert liaison(service, "publish", "--library", str(folder))[0] == 2  # nobody named

    with service.client("admin") as admin:
        [published] = found(admin, f"/PlanDefinition?url={URL}")
        forged = {**published, "title": "Autre"}
        answers = [
            admin.put(f"/PlanDefinition/{published['id']}", json=forged),
            admin.put(f"/PlanDefinition/{published['id']}", json={**forged, "url": "https://walk.example/other"}),
            admin.delete(f"/PlanDefinition/{published['id']}"),
            admin.post("/PlanDefinition", json={k: v for k, v in forged.items() if k not in ("id", "meta")}),
        ]
        assert [one.status_code for one in answers] == [409] * 4, [one.text for one in answers]
        draft = {"resourceType": "PlanDefinition", "status": "draft", "url": "https://walk.example/mine"}
        assert admin.post("/PlanDefinition", json=draft).status_code == 201
