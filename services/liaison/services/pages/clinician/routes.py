"""The addresses of the clinicians' desk."""

from starlette.routing import BaseRoute

from liaison.services.launching import DESK
from liaison.services.pages.clinician import closing, notes, observations, opening, patients, problems, seeing, wishes
from liaison.services.pages.clinician.place import own_place
from liaison.services.pages.clinician.record_pages import record_pages
from liaison.services.pages.page import page

HEALTH = frozenset(
    {
        "gp", "specialist", "hospital-doctor", "on-call-doctor", "regulating-doctor", "nurse", "physio", "pharmacist",
        "midwife", "speech-therapist", "dietitian", "podiatrist", "ot", "dentist", "care-assistant", "psychologist",
        "substitute", "trainee",
    }
)  # fmt: skip
READERS = HEALTH | {"coordinator", "social-worker", "home-service-manager", "secretary", "patient", "guardian"}

# The regulating doctor's home is the platform's desk.
HOMES = dict.fromkeys(
    (HEALTH - {"regulating-doctor"}) | {"social-worker", "secretary", "patient", "guardian"}, "/dossiers"
)


def routes() -> list[BaseRoute]:
    return [
        page("/dossiers", patients.my_patients, methods=("GET", "POST"), roles=READERS),
        page(DESK.launch_url, opening.opening, roles=READERS),
        *record_pages("/dossiers/{id}", own_place, READERS),
        page("/dossiers/{id}/mesures/ajouter", observations.add, methods=("POST",), roles=HEALTH),
        page("/dossiers/{id}/problemes", problems.problems, methods=("GET", "POST"), roles=HEALTH),
        page("/dossiers/{id}/problemes/{condition}", closing.problem, methods=("GET", "POST"), roles=HEALTH),
        page("/dossiers/{id}/notes", notes.add, methods=("POST",), roles=READERS),
        page("/dossiers/{id}/accords", wishes.wishes, methods=("GET", "POST"), roles=READERS),
        page("/dossiers/{id}/alertes/{task}", seeing.answer, methods=("POST",), roles=READERS),
    ]
