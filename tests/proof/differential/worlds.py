"""Random worlds: people with roles in structures, patients with teams, dates, oppositions and entries of every class.

The same seed makes the same world, but for its ids. References are `urn:uuid:name` until it has been written.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from . import furnishing

Tree = dict[str, Any]

LIAISON = "https://liaison.example/fhir"
CLASS = f"{LIAISON}/CodeSystem/data-class"
PROFESSION = "https://mos.esante.gouv.fr/NOS/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
ROLES = (
    ("gp", "maison"), ("gp2", "maison"), ("specialist", "hospital"), ("hospital-doctor", "hospital"),
    ("on-call-doctor", "maison"), ("nurse", "maison"), ("nurse2", "ward"), ("midwife", ""), ("pharmacist", ""),
    ("physio", "maison"), ("psychologist", "ward"), ("social-worker", "department"), ("home-aide", "homecare"),
    ("home-aide2", "homecare"), ("home-service-manager", "homecare"), ("coordinator", "department"),
    ("call-handler", "platform"), ("regulating-doctor", "platform"), ("auditor", "department"), ("coordinator-admin", "maison"), ("substitute", "maison"), ("trainee", "maison"),
    ("secretary", "maison"),
)  # fmt: skip
"""Who lives there: a role, and where. The last three act for someone."""
ACTS_FOR = {"substitute": "role-gp2", "trainee": "practitioner-gp", "secretary": "role-gp"}
STRUCTURES = {
    "maison": "",
    "hospital": "",
    "ward": "hospital",
    "homecare": "department",
    "department": "",
    "platform": "",
}
IN_A_STAY = ("Observation", "Condition", "MedicationRequest", "DiagnosticReport", "RiskAssessment")


def code_of(key: str) -> str:
    return key.rstrip("0123456789")


def ref(name: str) -> Tree:
    return {"reference": name if "/" in name else f"urn:uuid:{name}"}


def coded(system: str, *codes: str) -> Tree:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def moment(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


class Maker:
    """Makes the resources of one world, under names."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.mandated = seed % 3 == 0  # whether the auditor's structure answers for the whole territory
        self.measures = random.Random(seed)  # a course of its own: what else a world is does not hang on it
        self.made: dict[str, Tree] = {}
        self.people = [f"{kind}-{key}" for key, _ in ROLES for kind in ("role", "practitioner")]
        self.patients: list[str] = []
        self.attended: set[str] = set()

    def world(self, patients: int) -> dict[str, Tree]:
        self._directory()
        for number in range(patients):
            self._patient(f"patient-{number}")
        return self.made

    def add(self, key: str, type_: str, /, **content: Any) -> str:
        self.made[key] = {"resourceType": type_, **content}
        return key

    # ---- the directory ----

    def _directory(self) -> None:
        for key, part_of in STRUCTURES.items():
            more = {"partOf": ref(part_of)} if part_of else {}
            self.add(key, "Organization", active=True, name=f"Structure {key}", **more)
        for key, organization in ROLES:
            known: Tree = {"qualification": [{"code": coded(PROFESSION, "10")}]} if key in ACTS_FOR else {}
            name = [{"family": key.upper(), "given": ["T"]}]
            self.add(f"practitioner-{key}", "Practitioner", active=True, name=name, **known)
            self._role(key, f"practitioner-{key}", organization)
        self.made |= dict(furnishing.directory(self.random))
        # One more role of the same person elsewhere; and roles that are over.
        self._role("nurse3", "practitioner-nurse", "homecare")
        self._role("gp4", "practitioner-physio", "maison", period={"end": moment(-30)})
        self._role("gp5", "practitioner-pharmacist", "maison", active=False)

    def _role(self, key: str, practitioner: str, organization: str, **more: Any) -> None:
        if key in ACTS_FOR:
            more["extension"] = [
                {"url": f"{LIAISON}/StructureDefinition/acts-for", "valueReference": ref(ACTS_FOR[key])}
            ]
            more["period"] = {"start": moment(-50), "end": moment(50)}
        if organization:
            more["organization"] = ref(organization)
        code = [coded(f"{LIAISON}/CodeSystem/role", code_of(key))]
        given = {"active": True, "practitioner": ref(practitioner), "code": code, **more}
        self.add(f"role-{key}", "PractitionerRole", **given)

    # ---- a patient ----

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def period(self) -> Tree:
        """In force, over, or to come; never within an hour of now."""
        bounds = self.random.choice(
            [
                (None, None),
                (-900, None),
                (-40, 40),
                (-40, None),
                (None, 30),
                (-60, -3),
                (-900, -30),
                (3, None),
                (30, 60),
            ]
        )
        return {name: moment(hours) for name, hours in zip(("start", "end"), bounds, strict=True) if hours is not None}

    def dated(self) -> Tree:
        return {"period": period} if (period := self.period()) else {}

    def _patient(self, patient: str) -> None:
        self.patients.append(patient)
        names = self.random.choice(["Le Goff", "Le Bihan", "Kerdoncuff", "Ozanne", "d'Arc"])
        self.add(
            patient,
            "Patient",
            name=[{"use": "official", "family": names, "given": [self.random.choice(["Anne", "Élodie", "Yann"])]}],
            birthDate=f"19{self.random.randint(30, 99)}-0{self.random.randint(1, 9)}-11",
            gender=self.random.choice(["female", "male"]),
            identifier=[{"system": "urn:local", "value": f"L{self.random.randint(1, 9)}"}],
        )
        self._teams(patient)
        for _ in range(self.random.randint(12, 18)):
            self._entry(patient)
        self._facts(patient)
        self._consents(patient)

    def _teams(self, patient: str) -> None:
        for number in range(self.random.choice([0, 1, 1, 1, 2])):
            team = f"{patient}-team-{number}"
            mental = self.chance(0.5) if number else False
            participants = [self._participant(patient) for _ in range(self.random.randint(2, 7))]
            if self.chance(0.4):  # a visit gives a right where the service is of the team
                participants.append({"member": ref("homecare")})
            category = [coded(f"{LIAISON}/CodeSystem/care-team", "mental-health")]
            status = "active" if self.chance(0.9) else "inactive"
            more = {**({"category": category} if mental else {}), **(self.dated() if self.chance(0.3) else {})}
            self.add(team, "CareTeam", status=status, subject=ref(patient), participant=participants, **more)

    def _participant(self, patient: str) -> Tree:
        """A patient has one attending doctor at most: of two at a time the second is refused."""
        member = self.random.choice([*self.people, "maison", "homecare", "department"])
        one: Tree = {"member": ref(member), **self.dated()}
        if self.chance(0.4) and member in self.people:
            one["extension"] = [{"url": f"{LIAISON}/StructureDefinition/informed", "valueDateTime": moment(-99)}]
        if self.chance(0.2) and patient not in self.attended:
            self.attended.add(patient)
            function = "https://mos.esante.gouv.fr/NOS/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction"
            one["role"] = [coded(function, "PCP")]
        return one

    def _facts(self, patient: str) -> None:
        """What opens rights beside the team: stays, visits, referrals, representation."""
        for number in range(self.random.choice([0, 0, 1, 2])):
            start = self.random.choice([-90, -30, 5])
            period = {"start": moment(start), **(self._end() if start < 0 else {})}
            finished = "end" in period and self.chance(0.5)
            people = [{"individual": ref(self.random.choice(self.people))}] if self.chance(0.7) else []
            self.add(
                f"{patient}-stay-{number}", "Encounter", status="finished" if finished else "in-progress",
                subject=ref(patient), period=period, **({"participant": people} if people else {}),
                **{"class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                             "code": self.random.choice(["IMP", "AMB"])}},
                **({"partOf": ref(f"{patient}-stay-0")} if number else {}),
                type=[coded(furnishing.ACTS, self.random.choice(furnishing.CODES))],
                serviceProvider=ref(self.random.choice(["hospital", "ward", "maison"])),
            )  # fmt: skip
        stays = [name for name in self.made if name.startswith(f"{patient}-stay-")]
        for name, one in self.made.items():
            if stays and name.startswith(f"{patient}-entry-") and one["resourceType"] in IN_A_STAY and self.chance(0.4):
                one["encounter"] = ref(self.random.choice(stays))
        for number in range(self.random.choice([0, 1, 1, 2])):
            start = self.random.choice([-80, -80, -20, 1, 90])
            actors = [patient, self.random.choice(["role-home-aide", "practitioner-home-aide2", "role-nurse"])]
            status = self.random.choice(["booked", "fulfilled", "cancelled"])
            paused = {"cancelationReason": furnishing.PAUSED} if status == "cancelled" and -80 < start < 90 else {}
            self.add(
                f"{patient}-visit-{number}", "Appointment", status=status, start=moment(start), end=moment(start + 1), **paused,
                participant=[{"actor": ref(actor), "status": "accepted"} for actor in actors],
            )  # fmt: skip
        if self.chance(0.5):
            request = self.add(f"{patient}-request", "ServiceRequest", status="active", intent="order",
                               subject=ref(patient), requester=ref("role-gp"))  # fmt: skip
            run = {"start": moment(-90), **self._end()}
            status = "completed" if "end" in run and self.chance(0.5) else self.random.choice(["accepted", "requested"])
            owner = self.random.choice(["role-specialist", "practitioner-nurse2", "role-on-call-doctor", "role-physio"])
            self.add(f"{patient}-referral", "Task", status=status, intent="order", focus=ref(request),
                     owner=ref(owner), executionPeriod=run, **{"for": ref(patient)})  # fmt: skip
        for number, represents in enumerate((True, False)):
            if self.chance(0.5):
                more = {"extension": [self._seen()]} if represents else {}
                dated = self.dated() if self.chance(0.3) else {}
                self.add(f"{patient}-near-{number}", "RelatedPerson", active=True, patient=ref(patient),
                         name=[{"family": "Proche"}], **more, **dated)  # fmt: skip

    def _seen(self) -> Tree:
        """What was seen of a measure, by whom and when: mostly what represents."""
        measure = self.measures.choice(["tutelle", "tutelle", "habilitation", "parental-authority", "curatelle"])
        days = self.measures.choice([-700, -700, -700, 2, -19 * 366, -21 * 366])
        seen_on = datetime.now(UTC).date() + timedelta(days=days)
        said: list[Tree] = [{"url": "measure", "valueCode": measure}, {"url": "seenOn", "valueDate": f"{seen_on}"}]
        if self.measures.random() < 0.9:
            said.append({"url": "seenBy", "valueReference": ref("practitioner-gp")})
        return {"url": f"{LIAISON}/StructureDefinition/representation", "extension": said}

    def _end(self) -> Tree:
        hours = self.random.choice([None, -27, -26, -20, -3])
        return {} if hours is None else {"end": moment(hours)}

    # ---- consents ----

    def _consents(self, patient: str) -> None:
        near = [f"{patient}-near-{number}" for number in (0, 1) if f"{patient}-near-{number}" in self.made]
        if self.chance(0.7):
            actors = [] if self.chance(0.6) else [self.random.choice([*self.people, "homecare", "department"])]
            self._consent(patient, "permit", actors, "information", dated=0.2)
        for _ in range(self.random.choice([0, 1, 2])):
            actor = self.random.choice([*self.people, *near * 9, "hospital", "ward"])
            self._consent(patient, "permit", [actor], classes=self.chance(0.6))
        for _ in range(self.random.choice([0, 0, 1, 1, 2])):
            actors = (
                [] if self.chance(0.3) else [self.random.choice([*self.people, "maison", "department", "hospital"])]
            )
            self._consent(
                patient, "deny", actors, classes=self.chance(0.4), statuses=("active", "proposed", "inactive")
            )
        if self.chance(0.2):
            self._consent(patient, "deny", [], purpose="ETREAT")
        entries = [name for name in self.made if name.startswith(f"{patient}-entry-")]
        if self.chance(0.5):
            self._consent(patient, "deny", [], data=self.random.choice(entries), statuses=("active", "inactive"))

    def _consent(
        self, patient: str, type_: str, actors: list[str], kind: str = "sharing", *, classes: bool = False,
        statuses: tuple[str, ...] = ("active", "active", "inactive"), purpose: str = "", data: str = "", dated: float = 0.4,
    ) -> None:  # fmt: skip
        provision: Tree = {"type": type_, **(self.dated() if self.chance(dated) else {})}
        if actors:
            part = coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP")
            provision["actor"] = [{"role": part, "reference": ref(actor)} for actor in actors]
        if classes:
            names = self.random.sample(["CLIN", "VITAL", "ADM", "COORD", "PSY", "SOC", "SENS", "MEDS"], 2)
            provision["securityLabel"] = [{"system": CLASS, "code": name} for name in names]
        if purpose:
            system = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
            provision["purpose"] = [{"system": system, "code": purpose}]
        if data:
            provision["data"] = [{"meaning": "instance", "reference": ref(data)}]
        consents = sum(name.startswith(f"{patient}-consent-") for name in self.made)
        self.add(
            f"{patient}-consent-{consents}",
            "Consent",
            status=self.random.choice(statuses),
            scope=coded("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy"),
            category=[coded(f"{LIAISON}/CodeSystem/consent", kind)],
            patient=ref(patient),
            dateTime="2026-01-05T10:00:00+01:00",
            policyRule={"text": "L.1110-4"},
            provision=provision,
            **({"performer": [ref(self._giver(patient, actors))]} if type_ == "permit" else {}),
        )

    def _giver(self, patient: str, actors: list[str]) -> str:
        """Mostly the person; of what somebody close reads, sometimes those themselves."""
        near = [actor for actor in actors if actor.startswith(f"{patient}-near-")]
        return near[0] if near and self.measures.random() < 0.3 else patient

    # ---- entries ----

    def _entry(self, patient: str) -> None:
        number = sum(name.startswith(f"{patient}-entry-") for name in self.made)
        author, to = self.random.choice(self.people), self.random.choice([*self.people, "homecare", "maison"])
        others = {name: tree for name, tree in self.made.items() if name.startswith(f"{patient}-entry-")}
        tree = entry(self.random, patient, author, to)
        if self.chance(0.7):
            named = naming(self.random, tree["resourceType"], others)
            extensions = [*tree.get("extension", ()), *named.get("extension", ())]
            tree |= {**named, **({"extension": extensions} if extensions else {})}
        self.made[f"{patient}-entry-{number}"] = tree


LOINC, ICD = "http://loinc.org", "http://hl7.org/fhir/sid/icd-10"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
NOTE = "https://mos.esante.gouv.fr/NOS/TRE_R234-TypeNote/FHIR/TRE-R234-TypeNote"


def naming(chance: random.Random, type_: str, others: dict[str, Tree]) -> Tree:
    """Elements by which an entry names one of these others, and says in words what it is."""
    types = {"Observation": ("Observation", "DocumentReference"), "CarePlan": ("Condition",),
             "DocumentReference": ("DocumentReference",), "DiagnosticReport": ("Observation",)}.get(type_, ())  # fmt: skip
    names = [name for name, one in others.items() if not types or one["resourceType"] in types]
    if not names:
        return {}
    name, another = chance.choice(names), chance.choice(names)
    other = ref(another) if another != name else None
    named = {**ref(name), "display": f"WORDS of {name}"}
    text = {"status": "additional", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">WORDS of {name}</div>'}
    made: dict[str, Tree] = {
        "Observation": {"derivedFrom": [named]},
        "CarePlan": {"addresses": [named]},
        "DocumentReference": {"relatesTo": [{"code": "appends", "target": named}]},
        "Condition": {"evidence": [{"detail": [named, {"display": "x"}]}]},
        "Communication": {"payload": [{"contentReference": named}, {"contentString": "x"}]},
        "MedicationRequest": {"supportingInformation": [named]},
        "DiagnosticReport": {"result": [named]},
        "List": {"entry": [{"item": named}, *([{"deleted": True, "item": other}] if other else [])]},
        "RiskAssessment": {"basis": [named]},
    }
    about = {"extension": [{"url": "urn:about", "valueReference": named}, {"url": "urn:x", "valueString": "x"}]}
    return {**made.get(type_, about), **({"text": text} if chance.random() < 0.5 else {})}


def entry(chance: random.Random, patient: str, author: str, to: str) -> Tree:
    """One small valid entry. `to` is whom it is addressed to, where entries of its type are."""
    subject = ref(patient)
    day = f"2026-0{chance.randint(1, 9)}-{chance.randint(10, 28)}"
    signed: Tree = {"performer": [ref(author)]} if author else {}
    number = {"value": chance.randint(1, 90), "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}

    def observation(category: str, code: str) -> Tree:
        return {
            "resourceType": "Observation", "status": chance.choice(["final", "preliminary"]), "subject": subject,
            "category": [coded(OBSERVATION_CATEGORY, category)], "code": coded(LOINC, code),
            "effectiveDateTime": day, "valueQuantity": number, **signed,
        }  # fmt: skip

    def document(system: str, code: str) -> Tree:
        return {
            "resourceType": "DocumentReference", "status": "current", "subject": subject, "type": coded(system, code),
            "date": f"{day}T10:00:00Z", "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
            **({"author": [ref(author)]} if author else {}),
        }  # fmt: skip

    def condition(code: str) -> Tree:
        return {"resourceType": "Condition", "subject": subject, "code": coded(ICD, code), "recordedDate": day,
                **({"recorder": ref(author)} if author else {})}  # fmt: skip

    def communication(*category: str) -> Tree:
        return {"resourceType": "Communication", "status": "completed", "subject": subject, "sent": f"{day}T09:00:00Z",
                "recipient": [ref(to)], "category": [coded("urn:kind", *category)] if category else [{"text": "note"}],
                **({"sender": ref(author)} if author else {})}  # fmt: skip

    made: list[Callable[[], Tree]] = [
        lambda: observation("vital-signs", chance.choice(["29463-7", "8867-4"])),
        lambda: observation("vital-signs", "29463-7"),
        lambda: observation("laboratory", chance.choice(["2345-7", "718-7"])),
        lambda: observation("survey", "gir"),
        lambda: observation("survey", "20152-5"),
        lambda: observation("exam", "72514-3"),
        lambda: observation("therapy", "etp"),
        lambda: condition("I10"),
        lambda: condition("J44"),
        lambda: condition("B24"),
        lambda: condition("F20"),
        lambda: document(LOINC, "34788-0"),
        lambda: document(LOINC, "60591-5"),
        lambda: document(LOINC, "51848-0"),
        lambda: document(LOINC, "11488-4"),
        lambda: document(NOTE, "01"),
        lambda: communication(),
        lambda: communication("protection"),
        lambda: {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": subject,
                 "medicationCodeableConcept": {"text": "x"}, "authoredOn": day,
                 **({"requester": ref(author)} if author and "/" not in author else {})},
        lambda: {"resourceType": "AllergyIntolerance", "patient": subject, "code": {"text": "x"}, "recordedDate": day,
                 "clinicalStatus": coded("http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "active")},
        lambda: {"resourceType": "Flag", "status": "active", "subject": subject, "code": {"text": "x"},
                 "category": [coded("urn:kind", chance.choice(["safety", "other"]))]},
        lambda: {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": subject,
                 "category": [coded("urn:kind", chance.choice(["home-help", "ppcs", "other"]))]},
        *furnishing.entries(chance, subject, ref(author) if author else None, day),
    ]  # fmt: skip
    tree = chance.choice(made)()
    label = chance.choice([*[""] * 9, "MINOR", "NOTE3P", "SENS", "CLINSOC", "proches", "held"])
    if label:
        system = f"{LIAISON}/CodeSystem/visibility" if label.islower() else CLASS
        tree["meta"] = {"security": [{"system": system, "code": label}]}
    if chance.random() < 0.3:
        furnishing.hold(chance, tree)
    return tree
