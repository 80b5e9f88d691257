"""The course of a person with BPCO: spirometry, breathlessness, CAT, tobacco, exacerbations, plans and education."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from liaison.protocols import codes, library
from liaison.protocols.apply import Step, propose
from liaison.protocols.calendar import complete, excuse
from liaison.protocols.carry_out import carry_out
from liaison.protocols.expressions import clinical_date
from liaison.protocols.workdays import next_working
from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.clock import PARIS, instant
from liaison.services.sandbox.territory.record import documents, observations
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import Tree, coded, coding, concept, moment, quantity, ref

FOLLOW_UP: Final = f"{codes.LOCAL}/PlanDefinition/bpco"
EDUCATION: Final = f"{codes.LOCAL}/PlanDefinition/bpco-etp"
AFTER_STAY: Final = f"{codes.LOCAL}/PlanDefinition/bpco-after-stay"

_MMRC: Final = (
    "Essoufflé seulement pour un effort soutenu",
    "Essoufflé en se dépêchant à plat ou en montant une légère côte",
    "Marche moins vite que les gens de son âge, ou s'arrête en marchant à plat",
    "S'arrête après 100 mètres ou quelques minutes à plat",
    "Trop essoufflé pour quitter la maison, ou en s'habillant",
)
_SMOKING: Final = {
    "smoker": ("77176002", "Fumeur"),
    "ex-smoker": ("8517006", "Ancien fumeur"),
    "never": ("266919005", "N'a jamais fumé"),
}
_CAT_ITEMS: Final = {
    "toux": "Toux",
    "glaires": "Glaires",
    "oppression": "Oppression dans la poitrine",
    "escaliers": "Essoufflement en montant",
    "activites": "Activités à la maison",
    "sorties": "Confiance pour sortir",
    "sommeil": "Sommeil",
    "energie": "Énergie",
}


def spirometry(record: Record, at: datetime, percent: int, ratio: float, by: str = "pneumologist") -> None:
    """FEV1 in per cent of predicted and the post-bronchodilator ratio, with the report."""
    measured = (
        (
            coding(systems.LOINC, "20152-5", "VEMS, pour cent de la valeur prédite"),
            (percent, "%"),
            "VEMS après bronchodilatateur, en % de la valeur prédite",
        ),
        (
            coding(systems.LOINC, "19926-5", "Rapport VEMS/CVF"),
            (ratio, "1"),
            "Rapport VEMS/CVF après bronchodilatateur",
        ),
    )
    for code, (value, unit), text in measured:
        observations.finding(
            record, concept(code, text=text), at, by, kind="procedure", number=value, unit=(unit, unit)
        )
    grade = 1 if percent >= 80 else 2 if percent >= 50 else 3 if percent >= 30 else 4
    verdict = "Trouble ventilatoire obstructif, non réversible" if ratio < 0.7 else "Pas de trouble obstructif"
    documents.document(
        record,
        "spirometry",
        "Exploration fonctionnelle respiratoire",
        f"Spirométrie avant et après 400 µg de salbutamol.\nVEMS {percent} % de la valeur prédite après "
        f"bronchodilatateur, rapport VEMS/CVF {ratio:.2f}.\n{verdict}"
        f"{f', grade {grade} de la classification GOLD' if ratio < 0.7 else ''}.\n"
        "Technique correcte, trois courbes reproductibles.",
        at,
        by,
    )


def breathlessness(record: Record, at: datetime, degree: int, by: str) -> str:
    """mMRC, 0 to 4, with its sentence."""
    return observations.finding(
        record,
        concept(coding(systems.SNOMED, "870179002", "mMRC"), text="Essoufflement (mMRC)"),
        at,
        by,
        whole=degree,
        note=_MMRC[degree],
    )


def cat(record: Record, at: datetime, total: int, by: str) -> str:
    """The CAT total with the scores of its eight items, which add up to it."""
    scores = _split(record, total)
    return record.add(
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [observations.category("survey")],
            "code": concept(
                coding(f"{codes.LOCAL}/CodeSystem/cat", "total", "CAT, score total (0 à 40)"), text="CAT, score total"
            ),
            "effectiveDateTime": moment(at),
            "performer": [record.who(by)],
            "valueInteger": total,
            "component": [
                {"code": coded(f"{codes.LOCAL}/CodeSystem/cat", item, words), "valueInteger": score}
                for (item, words), score in zip(_CAT_ITEMS.items(), scores, strict=True)
            ],
        }
    )


def _split(record: Record, total: int) -> list[int]:
    scores = [total // 8] * 8
    for _ in range(total - sum(scores)):
        open_items = [number for number, score in enumerate(scores) if score < 5]
        scores[record.random.choice(open_items)] += 1
    return scores


def smoking(record: Record, at: datetime, status: str, by: str) -> str:
    code, display = _SMOKING[status]
    return observations.finding(
        record,
        concept(coding(systems.LOINC, "72166-2", "Statut tabagique"), text="Tabac"),
        at,
        by,
        kind="social-history",
        answer=concept(coding(systems.SNOMED, code, display), text=display),
    )


def exacerbations(record: Record, at: datetime, number: int, by: str) -> str:
    """How many in the past twelve months."""
    return observations.finding(
        record,
        concept(
            coding(systems.SNOMED, "723245007", "Exacerbations de BPCO dans l'année"),
            text="Exacerbations dans les douze derniers mois",
        ),
        at,
        by,
        whole=number,
    )


def plan(
    record: Record,
    canonical: str,
    applied: int,
    by: str,
    *,
    condition: str = "",
    done: Mapping[str, int] | None = None,
    open_steps: frozenset[str] = frozenset(),
    excused: Mapping[str, str] | None = None,
    until: int = 0,
) -> list[str]:
    """Applies a protocol `-applied` days ago with the code the desks use, then lives it: steps due before `until` days
    from today are done within a few days of their date, but for those left open, excused, or done on another day."""
    on = next_working(record.clock.day(applied))
    known = [
        {**tree, "id": urn}
        for urn, tree in record.draft.entries.items()
        if clinical_date(tree) <= on.isoformat() + "T23:59"
    ]
    proposal = propose(library.shipped(), canonical, record.patient, known, on, horizon=max(12, -applied // 30 + 12))
    at = datetime.combine(on, time(11, 30), PARIS)
    bundle = carry_out(
        proposal,
        record.who(by),
        at,
        care_teams=[record.draft["team/circle"]],
        addresses=[condition] if condition else [],
        seed=uuid5(NAMESPACE_URL, f"{record.draft.name}/{canonical}"),
    )
    tasks = [entry for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Task"]
    for step, entry in zip(proposal.steps, tasks, strict=True):
        entry["resource"] = _lived(record, step, entry["resource"], done or {}, open_steps, excused or {}, until)
    return record.draft.absorb(bundle)


def _lived(
    record: Record,
    step: Step,
    task: Tree,
    done: Mapping[str, int],
    open_steps: frozenset[str],
    excused: Mapping[str, str],
    until: int,
) -> Tree:
    by = task["owner"] if "reference" in task["owner"] else record.who("gp")
    applied = datetime.fromisoformat(task["authoredOn"])
    if step.action in excused:
        return excuse(task, excused[step.action], by, max(_evening(step.due), applied))
    if step.action in done:
        day = record.clock.day(done[step.action])
        return complete(task, day, by, _evening(day))
    if step.action in open_steps or step.due >= record.clock.day(until):
        return task
    day = min(step.due + timedelta(days=record.random.randint(-9, 3)), record.clock.day(-1))
    day = max(day, applied.date())
    return complete(task, day, by, max(_evening(day), applied))


def _evening(day: date) -> datetime:
    return datetime.combine(day, time(18, 10), PARIS)


def assessment(record: Record, at: datetime, by: str, answers: Mapping[str, Any]) -> str:
    """The bilan éducatif partagé as it was written down."""
    form = library.shipped().tree(f"{codes.LOCAL}/Questionnaire/bilan-educatif-partage")
    items = []
    for group in form["item"]:
        children = [
            {"linkId": child["linkId"], "text": child["text"], "answer": [_value(answers[child["linkId"]])]}
            for child in group.get("item", ())
            if child["linkId"] in answers
        ]
        if children:
            items.append({"linkId": group["linkId"], "text": group["text"], "item": children})
        elif group["linkId"] in answers:
            texts = answers[group["linkId"]]
            items.append({"linkId": group["linkId"], "text": group["text"], "answer": [_value(text) for text in texts]})
    return record.add(
        {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{form['url']}|{form['version']}",
            "status": "completed",
            "authored": instant(at),
            "author": record.who(by),
            "source": ref(record.patient, record.person.name),
            "item": items,
        }
    )


def _value(answer: str | int) -> Tree:
    return {"valueInteger": answer} if isinstance(answer, int) else {"valueString": answer}


def oxygen(record: Record, since: date, litres: float) -> str:
    """Long-term oxygen at home, as an order; the safety sentences stand in 'À savoir'."""
    return record.add(
        {
            "resourceType": "DeviceRequest",
            "status": "active",
            "intent": "order",
            "codeCodeableConcept": {"text": "Concentrateur d'oxygène à domicile, 15 heures par jour au moins"},
            "parameter": [{"code": {"text": "Débit"}, "valueQuantity": quantity(litres, "L/min", "L/min")}],
            "authoredOn": moment(since),
            "requester": record.who("pneumologist"),
        }
    )
