"""Who the patients are: FR Core Patient trees with the five strict traits and a test INS."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random
from typing import Final
from unicodedata import combining, normalize

from liaison.services.sandbox.territory import identifiers, names, places, systems
from liaison.services.sandbox.territory.clock import Clock
from liaison.services.sandbox.territory.places import COMMUNES, Commune
from liaison.services.sandbox.territory.shapes import Tree, coding, concept, identifier, phone, ref, without_empty

STATUS_NAMES: Final = {
    "PROV": "Identité provisoire",
    "VALI": "Identité validée",
    "RECUP": "Identité récupérée",
    "QUAL": "Identité qualifiée",
}


@dataclass(frozen=True, slots=True)
class Identity:
    """A person: the strict traits, where they live, how to reach them. `used` is the name used in life when it differs
    from the birth name."""

    sex: str
    family: str
    given: tuple[str, ...]
    born: date
    birthplace: tuple[str, str]
    commune: Commune
    home: Tree
    mobile: str
    landline: str
    rank: int
    used: str = ""
    status: str = "QUAL"

    @property
    def title(self) -> str:
        return "M." if self.sex == "male" else "Mme"

    @property
    def called(self) -> str:
        """As a professional speaks of them: 'Mme Le Goff'."""
        return f"{self.title} {self.used or self.family}"

    @property
    def name(self) -> str:
        return f"{self.given[0]} {self.used or self.family}"

    @property
    def mailbox(self) -> str:
        """Of a domain that exists nowhere (RFC 2606); the older have none."""
        named = ".".join(strict(part).lower().replace(" ", "-") for part in (self.given[0], self.used or self.family))
        return f"{named}@courriel.example" if self.born.year > 1955 else ""

    def age(self, on: date) -> int:
        return on.year - self.born.year - ((on.month, on.day) < (self.born.month, self.born.day))


def draw(
    random: Random, clock: Clock, rank: int, *, age: int, sex: str = "", commune: Commune | None = None
) -> Identity:
    """A person of that age, drawn from the seed; `rank` makes names and matricules distinct within a territory."""
    sex = sex or random.choice(("female", "male"))
    born = clock.today - timedelta(days=round(age * 365.2425) + random.randint(5, 350))
    family = names.family_name(random)
    married = names.family_name(random) if sex == "female" and age > 51 and random.random() < 0.7 else ""
    commune = commune or random.choices(COMMUNES, weights=(5, 3, 3))[0]
    return Identity(
        sex=sex,
        family=family,
        given=tuple(names.given_names(random, sex, age)),
        born=born,
        birthplace=random.choices(places.BIRTHPLACES, weights=range(len(places.BIRTHPLACES), 0, -1))[0],
        commune=commune,
        home=commune.home(random),
        mobile=places.mobile(1000 + rank),
        landline=places.landline(2000 + rank) if age > 61 else "",
        rank=rank % 100,
        used="" if married == family else married,
    )


_TOLD: Final = ("name", "gender", "birthDate", "identifier")


def stated(tree: Tree) -> Tree:
    """The Patient as someone states their identity: strict traits and matricule, nothing of the record."""
    birthplace = [one for one in tree["extension"] if one["url"].endswith("/patient-birthPlace")]
    official = [one for one in tree["name"] if one["use"] == "official"]
    told: Tree = {name: tree[name] for name in _TOLD if name in tree}
    return {"resourceType": "Patient", "extension": birthplace, **told, "name": official}


def patient(person: Identity, gp: Tree | None, managing: Tree | None, verified: date) -> Tree:
    """The FR Core Patient (fr-core-patient-ins when the identity is qualified: only then is the matricule carried)."""
    qualified = person.status == "QUAL"
    return without_empty(
        resourceType="Patient",
        meta={"profile": [f"{systems.FR_CORE}/fr-core-patient{'-ins' if qualified else ''}"]},
        extension=[_reliability(person.status, verified), _birthplace(person)],
        identifier=[identifier(systems.INS_TEST, matricule(person), "INS-NIR-TEST")] if qualified else None,
        active=True,
        name=[
            {
                "extension": [
                    {
                        "url": f"{systems.FR_CORE}/fr-core-patient-birth-list-given-name",
                        "valueString": strict(" ".join(person.given)),
                    }
                ],
                "use": "official",
                "family": strict(person.family),
                "given": [strict(person.given[0])],
            },
            {"use": "usual", "family": person.used or person.family, "given": [person.given[0]]},
        ],
        telecom=[
            phone(person.mobile, "mobile"),
            *([phone(person.landline, "home")] if person.landline else []),
            *([{"system": "email", "value": person.mailbox}] if person.mailbox else []),
        ],
        gender=person.sex,
        birthDate=person.born.isoformat(),
        address=[person.home],
        generalPractitioner=[gp] if gp else None,
        managingOrganization=managing,
        communication=[
            {"language": concept(coding("urn:ietf:bcp:47", "fr-FR", "Français (France)")), "preferred": True}
        ],
    )


def strict(text: str) -> str:
    """A trait as identity sources hold it: capitals without accents (RNIV)."""
    return "".join(letter for letter in normalize("NFD", text.upper()) if not combining(letter))


def matricule(person: Identity) -> str:
    return identifiers.ins(person.sex, person.born, person.birthplace[0], person.rank)


def relative(
    patient_urn: str,
    family: str,
    given: str,
    sex: str,
    link: Tree,
    phone_number: str,
    roles: tuple[Tree, ...],
    number: int,
) -> Tree:
    """A RelatedPerson: `link` says what they are to the person, `roles` what they do (contact, trusted person…)."""
    return {
        "resourceType": "RelatedPerson",
        "identifier": [{"use": "temp", "system": f"{systems.LOCAL_IDS}/proche", "value": f"P{number:05d}"}],
        "active": True,
        "patient": ref(patient_urn),
        "relationship": [*(concept(role) for role in roles), concept(link)],
        "name": [{"use": "official", "family": family, "given": [given]}],
        "telecom": [phone(phone_number, "mobile")],
        "gender": sex,
    }


def _reliability(status: str, verified: date) -> Tree:
    return {
        "url": f"{systems.FR_CORE}/fr-core-identity-reliability",
        "extension": [
            {"url": "lastUpdated", "valueDateTime": verified.isoformat()},
            {
                "url": "identityStatus",
                "valueCoding": coding(
                    f"{systems.FR_CORE_CODES}/fr-core-cs-identity-status", status, STATUS_NAMES[status]
                ),
            },
        ],
    }


def _birthplace(person: Identity) -> Tree:
    code, city = person.birthplace
    return {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthPlace",
        "valueAddress": {
            "extension": [
                {
                    "url": f"{systems.FR_CORE}/fr-core-address-insee-code",
                    "valueCoding": coding(systems.COMMUNE, code),
                }
            ],
            "city": city,
        },
    }
