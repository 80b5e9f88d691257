"""Measures: vital signs with the codes of the Mesures guide, laboratory values, and scores."""

from datetime import datetime
from typing import Final

from liaison.services.sandbox.territory import systems
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import (
    Tree,
    coded,
    coding,
    concept,
    moment,
    quantity,
    ref,
    without_empty,
)

VITALS: Final = {
    "weight": ("29463-7", "Poids", "kg", "kg", "fr-core-observation-body-weight"),
    "height": ("8302-2", "Taille", "cm", "cm", "fr-core-observation-body-height"),
    "bmi": ("39156-5", "Indice de masse corporelle", "kg/m2", "kg/m2", "fr-core-observation-bmi"),
    "heart_rate": ("8867-4", "Fréquence cardiaque", "/min", "/min", "fr-core-observation-heartrate"),
    "respiratory_rate": ("9279-1", "Fréquence respiratoire", "/min", "/min", "fr-core-observation-resp-rate"),
    "temperature": ("8310-5", "Température", "°C", "Cel", "fr-core-observation-body-temperature"),
    "saturation": ("2708-6", "Saturation en oxygène", "%", "%", "fr-core-observation-saturation-oxygen"),
}
LABORATORY: Final = {
    "hba1c": ("4548-4", "Hémoglobine glyquée (HbA1c)", "%", "%"),
    "creatinine": ("2160-0", "Créatinine", "mg/L", "mg/L"),
    "egfr": ("33914-3", "Débit de filtration glomérulaire estimé", "mL/min/1,73 m²", "mL/min/{1.73_m2}"),
    "nt_probnp": ("33762-6", "NT-proBNP", "ng/L", "ng/L"),
    "ldl": ("13457-7", "LDL-cholestérol", "g/L", "g/L"),
    "haemoglobin": ("718-7", "Hémoglobine", "g/dL", "g/dL"),
    "inr": ("6301-6", "INR", "1", "1"),
    "tsh": ("3016-3", "TSH", "mUI/L", "m[IU]/L"),
    "pao2": ("2703-7", "PaO2 (sang artériel)", "mmHg", "mm[Hg]"),
    "paco2": ("2019-8", "PaCO2 (sang artériel)", "mmHg", "mm[Hg]"),
}
_CATEGORY_NAMES: Final = {
    "vital-signs": "Signes vitaux",
    "laboratory": "Biologie",
    "survey": "Questionnaire ou score",
    "procedure": "Exploration",
    "social-history": "Mode de vie",
}


def category(code: str) -> Tree:
    return coded(systems.OBSERVATION_CATEGORY, code, _CATEGORY_NAMES[code])


def vital(record: Record, name: str, value: float, at: datetime, by: str, encounter: str = "") -> str:
    """One vital sign that is a single quantity."""
    code, display, unit, ucum, profile = VITALS[name]
    codings = [coding(systems.LOINC, code, display)]
    if name == "saturation":
        codings.append(coding(systems.LOINC, "59408-5", "Saturation en oxygène par oxymétrie de pouls"))
    return record.add(
        without_empty(
            resourceType="Observation",
            meta={"profile": [f"{systems.FR_CORE}/{profile}"]},
            status="final",
            category=[category("vital-signs")],
            code=concept(*codings, text=display),
            encounter=ref(encounter) if encounter else None,
            effectiveDateTime=moment(at),
            performer=[record.who(by)] if by else [ref(record.patient)],
            valueQuantity=quantity(value, unit, ucum),
        )
    )


def blood_pressure(record: Record, systolic: int, diastolic: int, at: datetime, by: str, encounter: str = "") -> str:
    """The panel 85354-9 with its two components."""
    return record.add(
        without_empty(
            resourceType="Observation",
            meta={"profile": [f"{systems.FR_CORE}/fr-core-observation-bp"]},
            status="final",
            category=[category("vital-signs")],
            code=concept(coding(systems.LOINC, "85354-9", "Pression artérielle"), text="Pression artérielle"),
            encounter=ref(encounter) if encounter else None,
            effectiveDateTime=moment(at),
            performer=[record.who(by)],
            component=[
                {
                    "code": coded(systems.LOINC, "8480-6", "Pression artérielle systolique"),
                    "valueQuantity": quantity(systolic, "mmHg", "mm[Hg]"),
                },
                {
                    "code": coded(systems.LOINC, "8462-4", "Pression artérielle diastolique"),
                    "valueQuantity": quantity(diastolic, "mmHg", "mm[Hg]"),
                },
            ],
        )
    )


def laboratory(record: Record, name: str, value: float, at: datetime) -> str:
    """One result of the town's laboratory, sent to the record; `performer` is who prescribed it."""
    code, display, unit, ucum = LABORATORY[name]
    return record.add(
        {
            "resourceType": "Observation",
            "status": "final",
            "category": [category("laboratory")],
            "code": concept(coding(systems.LOINC, code, display), text=display),
            "effectiveDateTime": moment(at),
            "performer": [{"display": "Laboratoire de biologie de Lanverzic"}],
            "valueQuantity": quantity(value, unit, ucum),
        }
    )


def finding(
    record: Record,
    code: Tree,
    at: datetime,
    by: str,
    *,
    kind: str = "survey",
    number: float | None = None,
    unit: tuple[str, str] = ("1", "1"),
    whole: int | None = None,
    answer: Tree | None = None,
    note: str = "",
    encounter: str = "",
) -> str:
    """Any other observation: a quantity, a whole number or a coded answer, with a note if one was made."""
    return record.add(
        without_empty(
            resourceType="Observation",
            status="final",
            category=[category(kind)],
            code=code,
            encounter=ref(encounter) if encounter else None,
            effectiveDateTime=moment(at),
            performer=[record.who(by)],
            valueQuantity=quantity(number, *unit) if number is not None else None,
            valueInteger=whole,
            valueCodeableConcept=answer,
            note=[{"text": note}] if note else None,
        )
    )
