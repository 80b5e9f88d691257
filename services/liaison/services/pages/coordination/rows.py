"""The rows of the cohort: who is in it and in which order, by the index alone; then the one page that is shown, opened.

Nothing is kept between two requests: whom the coordinator sees, and what comes next for each, is asked anew.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from liaison.auth.access import vocabulary
from liaison.auth.journal.entry import entries_for
from liaison.fhir.search import ranked
from liaison.fhir.store.contract import Answer, Key, Request
from liaison.protocols import codes
from liaison.protocols.calendar import Entry, entry
from liaison.services.pages.clinician.alerts import OPEN
from liaison.services.pages.clinician.dossier import found
from liaison.services.pages.coordination.asked import BPCO, SIZE, Asked, Known
from liaison.services.pages.coordination.paging import mark, start
from liaison.services.pages.marking import _
from liaison.services.pages.reading.identity import Identity, identity
from liaison.services.pages.reading.measures import reckoned
from liaison.services.pages.record import Record
from liaison.services.pages.signed_in import Me
from liaison.services.planned.asking import Followed, followed

Tree = dict[str, Any]
CAT: Final = f"{codes.LOCAL}/CodeSystem/cat|total"
_ETP: Final = f"{vocabulary.CONSENT}|etp"
_WEIGHT: Final = "weight-gain"
TO_DO: Final = "draft,requested,received,accepted,ready,in-progress"
_STAGES: Final = {
    "etp-assessment": "Bilan",
    "etp-programme": "Bilan",
    "etp-session": "Séances",
    "etp-evaluation": "Évaluation",
}
STAGES: Final = (_("À inclure"), _("Bilan"), _("Séances"), _("Évaluation"), _("Suivi"), _("Sorti"))
CONSENTS: Final = {"active": _("Accord ETP"), "inactive": _("Accord ETP retiré"), "": _("Accord ETP à recueillir")}


@dataclass(frozen=True, slots=True)
class Line:
    """One person. `trend` is None where the CAT was noted once or never; `consent` is a key of CONSENTS, None where the
    protocol asks for none; `weight`: an alert on it is open."""

    id: str
    who: Identity
    next: Entry | None
    owner: str
    cat: int | None
    trend: int | None
    weight: bool
    consent: str | None
    ended: bool

    @property
    def late(self) -> int:
        return max(self.next.days, 0) if self.next else 0

    @property
    def stage(self) -> str:
        """One of STAGES."""
        if self.ended:
            return "Sorti"
        if self.consent not in (None, "active"):
            return "À inclure"
        return _STAGES.get(self.next.code if self.next else "", "Suivi")


@dataclass(frozen=True, slots=True)
class Cohort:
    """One page of it, and how many there are. `all`: whom the protocol is followed of, whatever else was asked for. `start`: how many
    rows come before the page; `first` and `last` mark its ends, '' where it has no row."""

    lines: list[Line]
    all: int
    late: int
    matching: int
    start: int = 0
    first: str = ""
    last: str = ""

    @property
    def page(self) -> int:
        return 1 + -(-self.start // SIZE)

    @property
    def pages(self) -> int:
        return max(1, -(-self.matching // SIZE))


async def cohort(record: Record, me: Me, asked: Asked, known: Known, today: date) -> Cohort:
    """Raises what the engine refuses."""
    everyone = await _followed(record, me, asked, known)  # those with nothing to do come last
    late = [one for one in everyone if one.due and one.due < today]
    wanted = late if asked.late else everyone
    if asked.step or asked.owner:
        wanted = [one for one in wanted if one.step]
    stands: Callable[[Followed], tuple[int, int]] = _by_day
    if asked.name or asked.order == "nom":
        ranks = await _ranks(record, asked)
        wanted = [one for one in wanted if one.plan.patient in ranks]
        if asked.order == "nom":
            stands = partial(_by_rank, ranks)
            wanted.sort(key=stands)
    begin = start(asked, wanted, stands, partial(_patient_of, record))
    shown = wanted[begin : begin + SIZE]
    ends = [mark(stands(one)[0], record.engine.store.id(one.plan)) for one in (*shown[:1], *shown[-1:])]
    educated = asked.protocol.startswith(BPCO)
    steps = [one.step for one in shown if one.step]
    lines = await _opened(record, [one.plan for one in shown], steps, today, educated=educated)
    return Cohort(lines, len(everyone), len(late), len(wanted), begin, *ends)


def _by_day(one: Followed) -> tuple[int, int]:
    return (one.due or date.max).toordinal(), one.plan.patient


def _by_rank(ranks: dict[int, int], one: Followed) -> tuple[int, int]:
    return ranks[one.plan.patient], one.plan.patient


def _patient_of(record: Record, plan: str) -> int:
    key = record.engine.store.key("CarePlan", plan)
    return key.patient if key is not None else 0


async def _followed(record: Record, me: Me, asked: Asked, known: Known) -> list[Followed]:
    """Everybody in it, the soonest step first. The question is journaled as a search of plans, and as one of steps."""
    protocols = known.canonicals(asked.protocol)
    mine = [one for one in (me.person, me.role_reference) if one]
    owners = mine if asked.owner == "moi" else [] if asked.owner else None
    ask = partial(
        followed, record.engine.store, record.caller, protocols, ended=asked.ended, step=asked.step, owners=owners
    )
    everyone = await ask()
    sure: set[Key] = set()
    owned: set[Key] = set()
    while unsure := [one.step for one in everyone if one.unsure and one.step and one.step not in sure]:
        other = await _with_owner(record, unsure)
        sure |= set(unsure) - other
        owned |= other
        if other:
            everyone = await ask(but=owned)
    plans = {"status": "completed,revoked" if asked.ended else "active", "instantiates-canonical": ",".join(protocols)}
    await _journaled(record, "CarePlan", urlencode(plans), len(everyone))
    criteria = {"code": f"{codes.STEP}|{asked.step}", "status": TO_DO}
    if owners:
        criteria["owner"] = ",".join(owners)
    elif owners is not None:
        criteria["owner:missing"] = "true"
    await _journaled(record, "Task", urlencode(criteria), sum(one.step is not None for one in everyone))
    return everyone


async def _with_owner(record: Record, steps: list[Key]) -> set[Key]:
    """Those that the coordinator is shown with an owner: they may have one of whom not everyone need know."""
    ids = record.engine.store.ids_of(steps)
    trees = await found(record, "Task", {"_id": ",".join(ids), "owner:missing": "false", "_count": "500"}, len(ids))
    shown = {str(one["id"]) for one in trees}
    return {key for key, id_ in zip(steps, ids, strict=True) if id_ in shown}


async def _ranks(record: Record, asked: Asked) -> dict[int, int]:
    """Of those whose name begins so, where each stands by name."""
    query = urlencode({**({"name": asked.name} if asked.name else {}), "_sort": "family,given"})
    engine = record.engine
    keys = await ranked(engine.store, record.caller, "Patient", query, base_url=engine.base_url)
    await _journaled(record, "Patient", query, len(keys))
    return {key.patient: rank for rank, key in enumerate(keys)}


async def _journaled(record: Record, type_: str, query: str, total: int) -> None:
    """A question of which only keys came back: an entry of its own, as of a search that shows nothing."""
    asked = Request("GET", type_, query, b"", {})
    await record.engine.journal.record(entries_for(record.caller, asked, Answer(200, total=total)))


async def _opened(record: Record, plans: list[Key], steps: list[Key], today: date, *, educated: bool) -> list[Line]:
    """What the page shows of these, by searches that are journaled as any other; in the order of `plans`. `educated`: an
    education programme belongs to the protocol."""
    if not plans:
        return []
    store = record.engine.store
    ids = store.ids_of(plans)
    most = {"_count": "500"}
    followed = await found(record, "CarePlan", {"_id": ",".join(ids), "_include": "CarePlan:patient", **most}, 1000)
    people = {str(one["id"]): one for one in followed if one["resourceType"] == "Patient"}
    plan_of = {str(one["id"]): one for one in followed if one["resourceType"] == "CarePlan"}
    everyone = ",".join(f"Patient/{one}" for one in people)
    tasks, scores, alerts, consents = await asyncio.gather(
        found(record, "Task", {"_id": ",".join(store.ids_of(steps)), **most}, 1000) if steps else _nothing(),
        found(record, "Observation", {"patient": everyone, "code": CAT, "_sort": "-date", **most}, 1000),
        found(record, "Task", {"patient": everyone, "code": f"{codes.ALERT_LEVEL}|", "status": OPEN, **most}, 1000),
        found(record, "Consent", {"patient": everyone, "category": _ETP, "_sort": "-date", **most}, 1000),
    )
    next_of = {_whose(one.get("for")): one for one in tasks}
    cats = _totals(scores)
    heavy = {_whose(one.get("for")) for one in alerts if _WEIGHT in str(one.get("input", ""))}
    agreed: dict[str, str] = {}
    for one in consents:  # the newest first
        agreed.setdefault(_whose(one.get("patient")), "active" if one.get("status") == "active" else "inactive")
    lines = []
    for id_ in ids:
        plan = plan_of.get(id_)
        whose = _whose(plan.get("subject")) if plan else ""
        if plan and whose in people:
            task = next_of.get(whose)
            consent = agreed.get(whose, "") if educated else None
            lines.append(_line(plan, people[whose], task, cats[whose], whose in heavy, consent, today))
    return lines


async def _nothing() -> list[Tree]:
    return []


def _line(
    plan: Tree, patient: Tree, task: Tree | None, cats: list[int], heavy: bool, consent: str | None, today: date
) -> Line:
    coming = entry(task, today) if task else None
    return Line(
        id=str(patient["id"]),
        who=identity(patient),
        next=coming,
        owner=str((coming.task.get("owner") or {}).get("display", "")) if coming else "",
        cat=cats[0] if cats else None,
        trend=cats[0] - cats[1] if len(cats) > 1 else None,
        weight=heavy,
        consent=consent,
        ended=plan.get("status") != "active",
    )


def _totals(scores: list[Tree]) -> dict[str, list[int]]:
    """The CAT totals of each person, the newest first."""
    cats: dict[str, list[int]] = defaultdict(list)
    for score in scores:
        total = score.get("valueInteger", score.get("valueQuantity", {}).get("value"))
        if total is not None and reckoned(score):
            cats[_whose(score.get("subject"))].append(round(total))
    return cats


def _whose(reference: Tree | None) -> str:
    return str((reference or {}).get("reference", "")).rpartition("/")[2]
