"""What is told of a record when somebody opens it: steps that are late, alerts that are open, a group that has changed.

Reminders of what stands in the plan, in the words of the plan; no advice and no suggestion to accept.
"""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import uuid4

from liaison.auth.oauth2 import clients
from liaison.auth.oauth2.clients import Client
from liaison.fhir.store import faults
from liaison.protocols import codes
from liaison.protocols.alerts import level_of
from liaison.protocols.calendar import State, calendar
from liaison.protocols.regrouping import classes, known, refused
from liaison.services.applying import library, proposal
from liaison.services.pages.clinician.alerts import alerts_of, told
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.coordination.rows import TO_DO
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.record import Record

Tree = dict[str, Any]
MOST: Final = 5
"""Of each kind; the rest is a number, and on the page."""
LONGEST: Final = 139
"""Letters of a summary: the specification has fewer than 140."""


async def cards(record: Record, patient: str, public_url: str, gettext: Gettext) -> list[Tree]:
    """For a patient whom the caller sees; [] for any other, as for one who does not exist."""
    if await record.read(f"Patient/{patient}") is None:
        return []
    today = record.now().date()
    query = {"patient": f"Patient/{patient}", "code": f"{codes.STEP}|", "status": TO_DO, "_count": "500"}
    steps, alerts, apps = await asyncio.gather(
        found(record, "Task", query, 1000), alerts_of(record, f"Patient/{patient}"), _apps(record)
    )
    links = [
        {
            "label": gettext(_("Ouvrir le plan dans Liaison")),
            "url": f"{public_url}/dossiers/{patient}/plan",
            "type": "absolute",
        },
        *({"label": one.name, "url": one.launch_url, "type": "smart"} for one in apps),
    ]
    changed = await _changed(record, patient, steps, today, gettext)
    made = [*_alerts(alerts, record, gettext), *_late(steps, today, gettext), *changed]
    source = {"label": "Liaison", "url": public_url}
    return [{"uuid": str(uuid4()), **one, "source": {**source, **one["source"]}, "links": links} for one in made]


async def _apps(record: Record) -> Sequence[Client]:
    with faults.reported():
        return await clients.launched(record.engine.store.database.reading)


def _card(summary: str, indicator: str, topic: str, gettext: Gettext, detail: str = "") -> Tree:
    short = summary if len(summary) <= LONGEST else f"{summary[: LONGEST - 1]}…"
    coding = {"system": f"{codes.LOCAL}/CodeSystem/cds-topic", "code": topic, "display": gettext(_TOPICS[topic])}
    return {
        "summary": short,
        "indicator": indicator,
        "source": {"topic": coding},
        **({"detail": detail} if detail else {}),
    }


_TOPICS: Final = {
    "step-late": _("Étape en retard"),
    "alert-open": _("Alerte ouverte"),
    "group-changed": _("Groupe modifié"),
}


def _alerts(alerts: Sequence[Tree], record: Record, gettext: Gettext) -> list[Tree]:
    made = []
    for task in alerts[:MOST]:
        said = told(task, record.now(), gettext)
        summary = gettext(_("Alerte ouverte : {text}")).format(text=said.text)
        indicator = "critical" if level_of(task) == "RED" else "warning"
        made.append(_card(summary, indicator, "alert-open", gettext, gettext(said.level_label)))
    return [*made, *_more(len(alerts), gettext, "alert-open")]


def _late(steps: Sequence[Tree], today: date, gettext: Gettext) -> list[Tree]:
    late = [one for one in calendar(steps, today) if one.state is State.LATE]
    made = []
    for one in late[:MOST]:
        summary = gettext(_("Étape en retard de {days} j : {title}")).format(days=one.days, title=one.title)
        owner = str((one.task.get("owner") or {}).get("display", ""))
        made.append(_card(summary, "warning", "step-late", gettext, owner))
    return [*made, *_more(len(late), gettext, "step-late")]


def _more(number: int, gettext: Gettext, topic: str) -> list[Tree]:
    if number <= MOST:
        return []
    words = {
        "step-late": _("Et {count} autres étapes en retard"),
        "alert-open": _("Et {count} autres alertes ouvertes"),
    }
    return [_card(gettext(words[topic]).format(count=number - MOST), "info", topic, gettext)]


async def _changed(record: Record, patient: str, steps: Sequence[Tree], today: date, gettext: Gettext) -> list[Tree]:
    """A plan in force has steps whose condition, on a class that its protocol computes or a doctor has said, no longer holds. What
    nobody has adopted is not computed here, and nothing is said of it (docs/intended-purpose.md)."""
    there = await library(record)
    made = []
    for canonical in sorted({str(one.get("instantiatesCanonical", "")).partition("#")[0] for one in steps} - {""}):
        source = there.find(canonical)
        if source is None or not classes(source.tree):
            continue
        now = await proposal(record, f"Patient/{patient}", canonical, today)
        gone = refused(now)
        theirs = (str(one.get("instantiatesCanonical", "")).partition("#") for one in steps)
        if any(followed == canonical and gone(action) for followed, _hash, action in theirs):
            words = _("Groupe modifié : le plan « {title} » suit encore l’ancien")
            detail = "\n".join(f"{text} = {now.variables[name]}" for name, text in known(now).items())
            made.append(_card(gettext(words).format(title=now.plan["title"]), "info", "group-changed", gettext, detail))
    return made
