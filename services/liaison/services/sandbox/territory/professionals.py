"""The people who work in the territory: who they are, in which role, where, and for whom they stand in."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from liaison.auth.access import vocabulary
from liaison.services.sandbox.territory import identifiers, places, rights, systems
from liaison.services.sandbox.territory.clock import Clock
from liaison.services.sandbox.territory.draft import Draft
from liaison.services.sandbox.territory.shapes import (
    Tree,
    coded,
    coding,
    concept,
    identifier,
    period,
    phone,
    ref,
    secure_mail,
    without_empty,
)

PROFESSIONS: Final = {"10": "Médecin", "21": "Pharmacien", "60": "Infirmier", "70": "Masseur-kinésithérapeute"}
SPECIALTIES: Final = {
    "SM54": "Médecine générale",
    "SM40": "Pneumologie",
    "SM42": "Psychiatrie",
}


@dataclass(frozen=True, slots=True)
class Professional:
    """One person in one role. `starts` and `ends` are days from today; `stands_in_for` is a key: replaced doctor,
    supervisor, or the professional who answers for a secretary. `trained`: the day of their 40 hours in therapeutic education, 0
    for none."""

    key: str
    prefix: str
    given: str
    family: str
    role: str
    organization: str
    site: str = ""
    profession: str = ""
    specialty: str = ""
    salaried: bool = False
    title: str = ""
    stands_in_for: str = ""
    starts: int = -1400
    ends: int | None = None
    trained: int = 0

    @property
    def name(self) -> str:
        """As colleagues write it: 'Dr Anne-Laure Guillemot', 'Maëlle Tanguy'."""
        return f"{'Dr ' if self.title == 'DR' else ''}{self.given} {self.family}"

    @property
    def gender(self) -> str:
        return "male" if self.prefix == "M" else "female"


def _doctor(
    key: str, prefix: str, given: str, family: str, role: str, organization: str, **more: object
) -> Professional:
    parts: dict[str, object] = {"profession": "10", "specialty": "SM54", "title": "DR", **more}
    return Professional(key, prefix, given, family, role, organization, **parts)  # type: ignore[arg-type]  # as declared


PROFESSIONALS: Final = (
    _doctor("gp", "MME", "Anne-Laure", "Guillemot", "gp", "msp", site="site_kervanec"),
    _doctor("gp_replaced", "M", "Yves", "Kerbrat", "gp", "msp", site="site_saint_ninnoc"),
    _doctor("gp_outside", "M", "Pascal", "Le Bihan", "gp", "cabinet_outside"),
    _doctor(
        "hospital_doctor",
        "MME",
        "Sandrine",
        "Pichon",
        "hospital-doctor",
        "hospital_pneumology",
        site="site_pneumology",
        specialty="SM40",
        salaried=True,
    ),
    _doctor(
        "pneumologist",
        "MME",
        "Élise",
        "Quéré",
        "specialist",
        "hospital_pneumology",
        site="site_pneumology",
        specialty="SM40",
        salaried=True,
    ),
    _doctor(
        "psychiatrist",
        "M",
        "Hugo",
        "Bertin",
        "specialist",
        "hospital_psychiatry",
        site="site_psychiatry",
        specialty="SM42",
        salaried=True,
    ),
    _doctor(
        "substitute_active",
        "MME",
        "Inès",
        "Moreau",
        "substitute",
        "msp",
        site="site_saint_ninnoc",
        stands_in_for="gp_replaced",
        starts=-6,
        ends=15,
    ),
    _doctor(
        "substitute_expired",
        "M",
        "Paul",
        "Ruellan",
        "substitute",
        "msp",
        site="site_saint_ninnoc",
        stands_in_for="gp_replaced",
        starts=-75,
        ends=-61,
    ),
    Professional(
        "trainee",
        "MME",
        "Camille",
        "Josse",
        "trainee",
        "msp",
        "site_kervanec",
        "10",
        "SM54",
        salaried=True,
        stands_in_for="gp",
        starts=-23,
        ends=158,
    ),
    _doctor("on_call_doctor", "MME", "Nadia", "Haddad", "on-call-doctor", "on_call_house", site="site_on_call"),
    Professional("nurse", "MME", "Maëlle", "Tanguy", "nurse", "msp", "site_kervanec", "60"),
    Professional("nurse_colleague", "M", "Fabrice", "Corre", "nurse", "msp", "site_saint_ninnoc", "60"),
    Professional(
        "psychiatric_nurse",
        "MME",
        "Solenn",
        "Perrot",
        "nurse",
        "hospital_psychiatry",
        "site_psychiatry",
        "60",
        salaried=True,
    ),
    Professional("coordinator", "MME", "Gwenola", "Riou", "coordinator", "msp", "site_kervanec", "60", salaried=True),
    Professional("physio", "M", "Romain", "Le Gall", "physio", "physio_office", "", "70"),
    Professional("pharmacist", "MME", "Catherine", "Morvan", "pharmacist", "pharmacy", "", "21"),
    Professional("call_handler", "MME", "Stéphanie", "Rio", "call-handler", "platform", salaried=True),
    Professional(
        "secretary", "MME", "Brigitte", "Allano", "secretary", "msp", "site_kervanec", salaried=True, stands_in_for="gp"
    ),
    Professional("aide", "MME", "Sylvie", "Le Dantec", "home-aide", "home_service", salaried=True),
    Professional("aide2", "M", "Kévin", "Briand", "home-aide", "home_service", salaried=True),
    Professional(
        "home_service_manager", "MME", "Martine", "Cadoret", "home-service-manager", "home_service", salaried=True
    ),
    Professional("social_worker", "MME", "Julie", "Fournier", "social-worker", "ccas", salaried=True),
    Professional(
        "coordinator_admin", "M", "Thomas", "Lemoine", "coordinator-admin", "msp", "site_kervanec", salaried=True
    ),
    Professional("auditor", "MME", "Hélène", "Vasseur", "auditor", "union", salaried=True),
    Professional("admin", "M", "Olivier", "Penven", "admin", "union", salaried=True),
    _doctor("regulating_doctor", "MME", "Laure", "Jaffré", "regulating-doctor", "platform", salaried=True),
    Professional("dpo", "M", "Bertrand", "Kermarrec", "dpo", "union", salaried=True),
    Professional("practice_referent", "MME", "Nathalie", "Guéguen", "referent", "msp", "site_kervanec", salaried=True),
    Professional("ward_referent", "MME", "Sabine", "Rolland", "referent", "hospital_pneumology", salaried=True),
    Professional("patient_educator", "M", "Yannick", "Floury", "patient-educator", "association", trained=-400),
)
BY_KEY: Final = {person.key: person for person in PROFESSIONALS}


def add_professionals(directory: Draft, clock: Clock) -> None:
    """Writes a Practitioner and a dated PractitionerRole for each; the role is found by the person's key, the
    Practitioner by 'person/' + key. Those who are stood in for come first."""
    for number, person in enumerate(PROFESSIONALS, 1):
        directory.add(_practitioner(person, number, clock), f"person/{person.key}")
    for person in PROFESSIONALS:
        directory.add(_role(person, directory, clock), person.key)


def member(directory: Draft, key: str) -> Tree:
    """A Reference to the PractitionerRole, with the name and role that a reader wants to see."""
    person = BY_KEY[key]
    return ref(directory[key], f"{person.name} ({rights.role_name(person.role, person.gender).lower()})")


def _practitioner(person: Professional, number: int, clock: Clock) -> Tree:
    trained = {"code": coded(vocabulary.DIRECTORY, vocabulary.TRAINED, "Éducation thérapeutique, 40 heures")}
    own = identifiers.rpps(100 + number)
    mailbox = f"{person.given}.{person.family}".lower().replace(" ", "-").translate(_PLAIN)
    return without_empty(
        resourceType="Practitioner",
        identifier=[
            identifier(systems.RPPS, own, "RPPS"),
            identifier(systems.IDNPS, f"8{own}", "IDNPS"),
        ]
        if person.profession
        else [
            identifier(
                systems.IDNPS,
                f"5{identifiers.siret(150)}/B{number:03d}"
                if person.trained
                else f"3{identifiers.finess(121)}/A{number:03d}",
                "IDNPS",
            ),
        ],
        active=True,
        name=[
            without_empty(
                use="official",
                text=f"{person.name}",
                family=person.family,
                given=[person.given],
                prefix=[person.prefix],
                suffix=[person.title] if person.title else None,
            )
        ],
        telecom=[
            phone(places.mobile(200 + number), "work"),
            *([secure_mail(f"{mailbox}@liaison.mssante.example")] if person.profession else []),
        ],
        gender=person.gender,
        qualification=[
            {"code": coded(systems.PROFESSION, person.profession, PROFESSIONS[person.profession])},
        ]
        if person.profession
        else [{**trained, "period": period(clock.day(person.trained))}]
        if person.trained
        else None,
    )


_PLAIN: Final = str.maketrans("éèêëàâçîïôûüñ'’", "eeeeaaciiouun--")


def _role(person: Professional, directory: Draft, clock: Clock) -> Tree:
    return without_empty(
        resourceType="PractitionerRole",
        extension=[rights.acts_for(ref(directory[person.stands_in_for], BY_KEY[person.stands_in_for].name))]
        if person.stands_in_for
        else None,
        identifier=[{"system": vocabulary.AUTHORISATION, "value": f"CDOM29-{clock.day(person.starts):%y%m}-041"}]
        if person.role == "substitute"
        else None,
        active=True,
        period=period(clock.day(person.starts), _end(person, clock)),
        practitioner=ref(directory[f"person/{person.key}"], person.name),
        organization=ref(directory[person.organization]),
        code=[
            concept(rights.role(person.role), text=rights.role_name(person.role, person.gender)),
            *(
                [coded(systems.PROFESSION, person.profession, PROFESSIONS[person.profession])]
                if person.profession
                else []
            ),
            coded(systems.PRACTICE_MODE, *_mode(person)),
        ],
        specialty=[concept(coding(systems.SPECIALTY, person.specialty, SPECIALTIES[person.specialty]))]
        if person.specialty
        else None,
        location=[ref(directory[person.site])] if person.site else None,
    )


def _mode(person: Professional) -> tuple[str, str]:
    if person.trained:
        return "B", "Bénévole"
    return ("S", "Salarié") if person.salaried else ("L", "Libéral")


def _end(person: Professional, clock: Clock) -> date | None:
    return None if person.ends is None else clock.day(person.ends)
