"""The common problems of an older rural practice, with what is prescribed for them and what a doctor writes of them.

Codes are CIM-10 and ATC. The texts are invented; no posology here is advice.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Drug:
    name: str
    atc: str
    posology: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A condition: its code, its treatment, the laboratory values followed for it (name, centre, spread), and the
    sentences that consultations about it contain."""

    code: str
    display: str
    drugs: tuple[Drug, ...] = ()
    laboratory: tuple[tuple[str, float, float], ...] = ()
    remarks: tuple[str, ...] = ()


PROBLEMS: Final = {
    "hypertension": Problem(
        "I10",
        "Hypertension essentielle (primitive)",
        (Drug("Périndopril 5 mg, comprimé", "C09AA04", "1 comprimé le matin"),
         Drug("Amlodipine 5 mg, gélule", "C08CA01", "1 gélule le matin")),
        (("creatinine", 9.6, 1.2), ("egfr", 68, 9)),
        ("TA bien équilibrée à l'automesure.", "TA limite, poursuite du traitement, contrôle par l'infirmière.",
         "Pas de vertige au lever. Observance bonne."),
    ),
    "diabetes": Problem(
        "E11.9",
        "Diabète de type 2 sans complication",
        (Drug("Metformine 1 000 mg, comprimé", "A10BA02", "1 comprimé matin et soir, au milieu du repas"),),
        (("hba1c", 7.2, 0.5), ("ldl", 0.92, 0.15), ("egfr", 71, 8)),
        ("Glycémies du matin entre 1,20 et 1,50. Pieds : pas de lésion, monofilament perçu.",
         "HbA1c stable. Fond d'œil à prévoir à l'automne.", "A repris la marche, 30 minutes par jour."),
    ),
    "heart_failure": Problem(
        "I50.0",
        "Insuffisance cardiaque congestive",
        (Drug("Furosémide 40 mg, comprimé", "C03CA01", "1 comprimé le matin"),
         Drug("Bisoprolol 2,5 mg, comprimé", "C07AB07", "1 comprimé le matin"),
         Drug("Ramipril 5 mg, comprimé", "C09AA05", "1 comprimé le soir")),
        (("nt_probnp", 1450, 420), ("creatinine", 12.1, 1.5)),
        ("Pas d'œdème des membres inférieurs. Dort avec deux oreillers.",
         "Poids stable. Rappel des signes EPOF : essoufflement, prise de poids, œdèmes, fatigue.",
         "Essoufflement à l'effort modéré, stable. Régime peu salé suivi de façon inégale."),
    ),
    "fibrillation": Problem(
        "I48.2",
        "Fibrillation auriculaire chronique",
        (Drug("Apixaban 5 mg, comprimé", "B01AF02", "1 comprimé matin et soir"),),
        (("haemoglobin", 12.9, 0.8), ("egfr", 58, 7)),
        ("Pas de saignement. Rythme lent, bien toléré.", "Rappel : pas d'anti-inflammatoire sous anticoagulant."),
    ),
    "osteoarthritis": Problem(
        "M17.0",
        "Gonarthrose primaire bilatérale",
        (Drug("Paracétamol 1 g, comprimé", "N02BE01", "1 comprimé jusqu'à 3 fois par jour si douleur"),),
        (),
        ("Douleurs mécaniques des genoux, périmètre de marche 500 m. Séances de kinésithérapie prescrites.",
         "Se plaint surtout dans les escaliers. Canne acceptée."),
    ),
    "depression": Problem(
        "F32.1",
        "Épisode dépressif moyen",
        (Drug("Sertraline 50 mg, comprimé", "N06AB06", "1 comprimé le matin"),),
        (),
        ("Sommeil meilleur. Pas d'idée noire exprimée.",),
    ),
    "schizophrenia": Problem(
        "F20.0",
        "Schizophrénie paranoïde",
        (Drug("Palipéridone 100 mg, suspension injectable à libération prolongée", "N05AX13",
              "1 injection par mois au CMP"),),
        (),
        ("Suivi au CMP régulier. Logement autonome tenu.",),
    ),
    "hiv": Problem(
        "B24",
        "Infection par le VIH",
        (Drug("Bictégravir, emtricitabine, ténofovir alafénamide, comprimé", "J05AR20", "1 comprimé par jour"),),
        (),
        ("Charge virale indétectable depuis six ans.",),
    ),
    "alcohol": Problem(
        "F10.2",
        "Syndrome de dépendance à l'alcool",
        (),
        (),
        ("Abstinent depuis quatre mois, suivi par l'équipe d'addictologie.",),
    ),
    "alzheimer": Problem(
        "G30.1",
        "Maladie d'Alzheimer à début tardif",
        (),
        (),
        ("Orientée dans la maison, désorientée dans le temps. Fille présente trois soirs par semaine.",
         "MMS 17/30. L'aidante est fatiguée : proposition d'accueil de jour."),
    ),
    "stroke": Problem(
        "I69.3",
        "Séquelles d'infarctus cérébral",
        (Drug("Acide acétylsalicylique 75 mg, poudre", "B01AC06", "1 sachet à midi"),
         Drug("Atorvastatine 40 mg, comprimé", "C10AA05", "1 comprimé le soir")),
        (("ldl", 0.62, 0.1),),
        ("Hémiparésie droite séquellaire, marche avec déambulateur.", "Pas de trouble de la déglutition."),
    ),
    "hypothyroidism": Problem(
        "E03.9",
        "Hypothyroïdie",
        (Drug("Lévothyroxine 75 µg, comprimé", "H03AA01", "1 comprimé le matin à jeun"),),
        (("tsh", 2.4, 0.8),),
        ("TSH dans la cible, même dose.",),
    ),
    "renal": Problem(
        "N18.3",
        "Maladie rénale chronique, stade 3",
        (),
        (("egfr", 41, 4), ("creatinine", 15.5, 1.6)),
        ("Fonction rénale stable. Adapter les doses, éviter les anti-inflammatoires.",),
    ),
    "osteoporosis": Problem(
        "M81.0",
        "Ostéoporose postménopausique",
        (Drug("Alendronate 70 mg, comprimé", "M05BA04", "1 comprimé par semaine, à jeun, debout"),),
        (),
        ("Chute sans gravité en décembre. Domicile vu avec l'ergothérapeute : tapis retirés.",),
    ),
    "asthma": Problem(
        "J45.9",
        "Asthme",
        (Drug("Budésonide et formotérol 200/6 µg, poudre à inhaler", "R03AK07", "1 inhalation matin et soir"),),
        (),
        ("Technique d'inhalation revue. Pas de réveil nocturne.",),
    ),
    "pain": Problem(
        "M54.5",
        "Lombalgie basse",
        (Drug("Paracétamol 1 g, comprimé", "N02BE01", "1 comprimé jusqu'à 3 fois par jour si douleur"),),
        (),
        ("Reprise du travail prévue. Kinésithérapie en cours.",),
    ),
    "pregnancy": Problem("Z34.0", "Surveillance d'une première grossesse normale", (), (), ("Grossesse normale à 22 SA.",)),
}  # fmt: skip

ALLERGIES: Final = (
    ("Pénicilline", "J01C", "Urticaire généralisée", "high", "severe"),
    ("Produit de contraste iodé", "V08A", "Œdème du visage", "high", "moderate"),
    ("Acide acétylsalicylique", "B01AC06", "Bronchospasme", "high", "severe"),
    ("Sulfamides", "J01E", "Éruption cutanée", "low", "mild"),
    ("Codéine", "R05DA04", "Nausées, malaise", "low", "mild"),
)

VACCINES: Final = {
    "influenza": ("J07BB02", "Vaccin grippal, souche inactivée"),
    "pneumococcus": ("J07AL02", "Vaccin pneumococcique conjugué"),
    "covid": ("J07BN01", "Vaccin contre la COVID-19 à ARNm"),
    "tetanus": ("J07CA01", "Vaccin diphtérie, tétanos, poliomyélite"),
}
