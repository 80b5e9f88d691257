"""Who employs and where: the structures, services, sites and rooms of the territory."""

from dataclasses import dataclass
from typing import Final

from liaison.auth.access import vocabulary
from liaison.services.sandbox.territory import identifiers, places, systems
from liaison.services.sandbox.territory.clock import Clock
from liaison.services.sandbox.territory.draft import Draft
from liaison.services.sandbox.territory.places import KERVANEC, LANVERZIC, SAINT_NINNOC, Commune
from liaison.services.sandbox.territory.shapes import (
    Tree,
    coded,
    identifier,
    period,
    phone,
    ref,
    secure_mail,
    without_empty,
)

ORGANIZATION_KIND: Final = "http://terminology.hl7.org/CodeSystem/organization-type"
LOCATION_KIND: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class Structure:
    """An Organization: its key in the territory, its name, kind, commune, the number of its FINESS, what it is part of.
    `approved`: an association of users (CSP L.1114-1), which has no FINESS."""

    key: str
    name: str
    kind: str
    commune: Commune
    line: str
    finess: int
    part_of: str = ""
    alias: str = ""
    approved: bool = False


STRUCTURES: Final = (
    Structure(
        "msp",
        "SISA Maison de santé des Trois Clochers",
        "prov",
        KERVANEC,
        "4 place du Champ-de-Foire",
        101,
        alias="Maison de santé des Trois Clochers",
    ),
    Structure("cabinet_outside", "Cabinet médical de la Gare", "prov", LANVERZIC, "17 boulevard de la Gare", 102),
    Structure("physio_office", "Cabinet de kinésithérapie des Halles", "prov", LANVERZIC, "9 rue des Halles", 103),
    Structure("pharmacy", "Pharmacie du Champ-de-Foire", "prov", KERVANEC, "11 place du Champ-de-Foire", 104),
    Structure("hospital", "Centre hospitalier de Lanverzic", "prov", LANVERZIC, "1 quai de la Scorle", 110),
    Structure(
        "hospital_pneumology",
        "Pneumologie, centre hospitalier de Lanverzic",
        "dept",
        LANVERZIC,
        "1 quai de la Scorle",
        111,
        part_of="hospital",
    ),
    Structure(
        "hospital_medicine",
        "Médecine polyvalente, centre hospitalier de Lanverzic",
        "dept",
        LANVERZIC,
        "1 quai de la Scorle",
        112,
        part_of="hospital",
    ),
    Structure(
        "hospital_psychiatry",
        "Psychiatrie et centre médico-psychologique, centre hospitalier de Lanverzic",
        "dept",
        LANVERZIC,
        "3 quai de la Scorle",
        113,
        part_of="hospital",
        alias="CMP de Lanverzic",
    ),
    Structure("ccas", "CCAS de Kervanec-sur-Scorle", "govt", KERVANEC, "Mairie, 1 rue des Écoles", 120),
    Structure(
        "home_service",
        "Service autonomie à domicile du CCAS de Kervanec-sur-Scorle",
        "dept",
        KERVANEC,
        "3 rue des Écoles",
        121,
        part_of="ccas",
        alias="Aide à domicile du CCAS",
    ),
    Structure(
        "on_call_house", "Maison médicale de garde du pays de Lanverzic", "prov", LANVERZIC, "1 quai de la Scorle", 130
    ),
    Structure("platform", "Plateforme santé du pays de Lanverzic", "prov", LANVERZIC, "22 rue Nationale", 131),
    Structure(
        "dac",
        "Dispositif d'appui à la coordination du pays de Lanverzic",
        "prov",
        LANVERZIC,
        "22 rue Nationale",
        132,
        alias="DAC du pays de Lanverzic",
    ),
    Structure(
        "union",
        "Syndicat mixte du pays de Lanverzic, délégation à la protection des données",
        "govt",
        LANVERZIC,
        "2 rue du Général-de-Gaulle",
        140,
    ),
    Structure(
        "association", "Association Souffles de la Scorle", "other", LANVERZIC, "6 rue Nationale", 150, approved=True
    ),
)

SITES: Final = (
    ("site_kervanec", "Maison de santé, site de Kervanec", "msp", KERVANEC, "4 place du Champ-de-Foire"),
    ("site_saint_ninnoc", "Maison de santé, site de Saint-Ninnoc", "msp", SAINT_NINNOC, "2 rue de la Mairie"),
    ("site_pneumology", "Unité de pneumologie, 2e étage", "hospital_pneumology", LANVERZIC, "1 quai de la Scorle"),
    ("site_psychiatry", "Centre médico-psychologique", "hospital_psychiatry", LANVERZIC, "3 quai de la Scorle"),
    ("site_on_call", "Maison médicale de garde", "on_call_house", LANVERZIC, "1 quai de la Scorle"),
    ("site_etp", "Salle d'éducation thérapeutique, site de Kervanec", "msp", KERVANEC, "4 place du Champ-de-Foire"),
)

SERVICES: Final = (
    ("Aide à domicile", "home_service", "Aide et accompagnement à domicile, 7 jours sur 7, de 7 h à 20 h 30."),
    (
        "Programme d'éducation thérapeutique BPCO",
        "msp",
        "« Mieux respirer au quotidien » : bilan éducatif partagé, ateliers, évaluation. Séances le mardi et le jeudi.",
    ),
    (
        "Consultations avancées de pneumologie",
        "hospital_pneumology",
        "Deux demi-journées par mois à la maison de santé, sur demande du médecin traitant.",
    ),
    ("Centre médico-psychologique", "hospital_psychiatry", "Accueil sans rendez-vous le lundi et le mercredi matin."),
)

_KIND_NAMES: Final = {"prov": "Structure de soins", "dept": "Service", "govt": "Collectivité ou service public",
                       "other": "Association d'usagers"}  # fmt: skip


def add_structures(directory: Draft, clock: Clock) -> None:
    """Writes the Organizations, their sites as Locations, and what they offer as HealthcareServices."""
    for number, structure in enumerate(STRUCTURES):
        directory.add(_organization(structure, number, directory, clock), structure.key)
    for key, name, owner, commune, line in SITES:
        directory.add(
            {
                "resourceType": "Location",
                "status": "active",
                "name": name,
                "mode": "instance",
                "type": [coded(LOCATION_KIND, "COMM" if "etp" in key else "OF")],
                "address": commune.address(line, use="work"),
                "managingOrganization": ref(directory[owner]),
            },
            key,
        )
    for name, owner, comment in SERVICES:
        directory.add(
            {
                "resourceType": "HealthcareService",
                "active": True,
                "providedBy": ref(directory[owner]),
                "name": name,
                "comment": comment,
            }
        )


def _organization(structure: Structure, number: int, directory: Draft, clock: Clock) -> Tree:
    finess = identifiers.finess(structure.finess)
    numbered = [
        identifier(systems.FINESS, finess, "FINEG" if structure.part_of else "FINEJ"),
        identifier(systems.IDNST, f"1{finess}", "IDNST"),
    ]
    approval = {"url": vocabulary.APPROVED, "valuePeriod": period(clock.day(-700), clock.day(1100))}
    return without_empty(
        resourceType="Organization",
        extension=[approval] if structure.approved else None,
        identifier=[
            *([] if structure.approved else numbered),
            *([] if structure.part_of else [identifier(systems.SIRENE, identifiers.siret(structure.finess), "SIRET")]),
        ],
        active=True,
        type=[coded(ORGANIZATION_KIND, structure.kind, _KIND_NAMES[structure.kind])],
        name=structure.name,
        alias=[structure.alias] if structure.alias else None,
        telecom=[
            phone(places.landline(1000 + number), "work"),
            *(
                []
                if structure.approved
                else [secure_mail(f"{structure.key.replace('_', '-')}@liaison.mssante.example")]
            ),
        ],
        address=[structure.commune.address(structure.line, use="work")],
        partOf=ref(directory[structure.part_of]) if structure.part_of else None,
    )
