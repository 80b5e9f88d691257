"""A protocol that nobody at Liaison wrote: to walk each week, with a signal when weights come in high."""

from pathlib import Path

OWNED = """\
status: active
date: "2026-11-30"
publisher: Une maison de santé
approvalDate: "2026-11-30"
lastReviewDate: "2026-11-30"
relatedArtifact:
  - {type: citation, label: livre, display: Un livre de la maison}
"""
PLAN = f"""\
resourceType: PlanDefinition
url: https://walk.example/PlanDefinition/walking
version: 1.0.0
name: MarcherChaqueSemaine
title: Marcher chaque semaine
{OWNED}goal:
  - {{id: hour, description: {{text: Marcher une heure}}, target: [{{due: {{value: 6, unit: mois, system: "http://unitsofmeasure.org", code: mo}}}}]}}
action:
  - id: first
    title: Première marche
    goalId: [hour]
    documentation: [{{type: citation, label: livre}}]
    code: [{{coding: [{{system: "https://walk.example/CodeSystem/steps", code: walk}}]}}]
    timingDuration: {{value: 7, unit: jours, system: "http://unitsofmeasure.org", code: d}}
    definitionCanonical: https://walk.example/ActivityDefinition/walk
  - id: second
    title: Point avec le médecin
    documentation: [{{type: citation, label: livre}}]
    relatedAction:
      - actionId: first
        relationship: after-end
        offsetDuration: {{value: 2, unit: semaines, system: "http://unitsofmeasure.org", code: wk}}
    definitionCanonical: https://walk.example/ActivityDefinition/walk
---
resourceType: ActivityDefinition
url: https://walk.example/ActivityDefinition/walk
version: 1.0.0
name: Marche
title: Marche
{OWNED}kind: Task
intent: order
code: {{coding: [{{system: "https://walk.example/CodeSystem/steps", code: walk}}]}}
participant: [{{type: practitioner, role: {{text: Infirmier}}}}]
---
resourceType: CodeSystem
url: https://walk.example/CodeSystem/steps
version: 1.0.0
name: EtapesDeMarche
title: Étapes de marche
status: active
date: "2026-11-30"
publisher: Une maison de santé
content: complete
concept:
  - {{code: walk, display: Marche}}
  - {{code: heavy, display: Poids au-dessus de 100 kg}}
"""
RULES = f"""\
resourceType: PlanDefinition
url: https://walk.example/PlanDefinition/walking-signals
version: 1.0.0
name: SignauxDeLaMarche
title: Signaux de la marche
type: {{coding: [{{system: "http://terminology.hl7.org/CodeSystem/plan-definition-type", code: eca-rule}}]}}
{OWNED}  - {{type: derived-from, resource: "https://walk.example/PlanDefinition/walking"}}
action:
  - id: heavy
    extension:
      - url: https://liaison.example/fhir/StructureDefinition/raises-alert
        valueCoding: {{system: "https://liaison.example/fhir/CodeSystem/alert-level", code: YELLOW}}
    title: Poids au-dessus de 100 kg
    code: [{{coding: [{{system: "https://walk.example/CodeSystem/steps", code: heavy}}]}}]
    documentation: [{{type: citation, label: livre}}]
    trigger:
      - type: data-added
        data:
          - type: Observation
            codeFilter:
              - {{path: code, code: [{{system: "http://loinc.org", code: 29463-7}}]}}
              - {{path: "value.ofType(Quantity).code", code: [{{system: "http://unitsofmeasure.org", code: kg}}]}}
            dateFilter: [{{path: effective, valueDuration: {{value: 3, unit: d, system: "http://unitsofmeasure.org", code: d}}}}]
    condition: [{{kind: start, expression: {{language: text/fhirpath, expression: "%value > 100"}}}}]
"""


def write(folder: Path, plan: str = PLAN, rules: str = RULES) -> Path:
    """The folder, with these two files."""
    folder.mkdir(exist_ok=True)
    (folder / "plan.yaml").write_text(plan)
    (folder / "signals.yaml").write_text(rules)
    return folder
