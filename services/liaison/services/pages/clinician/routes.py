"""The addresses of the clinicians' desk."""

from starlette.routing import BaseRoute

from liaison.services.pages.clinician import dossier, history, observations, patients, plan, seeing, wishes
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
        page("/dossiers/{id}", dossier.dossier, roles=READERS),
        page("/dossiers/{id}/mesures", observations.measures, roles=READERS),
        page("/dossiers/{id}/mesures/ajouter", observations.add, methods=("POST",), roles=HEALTH),
        page("/dossiers/{id}/documents", history.history, roles=READERS),
        page("/dossiers/{id}/plan", plan.plan, roles=READERS),
        page("/dossiers/{id}/accords", wishes.wishes, methods=("GET", "POST"), roles=READERS),
        page("/dossiers/{id}/alertes/{task}", seeing.answer, methods=("POST",), roles=READERS),
    ]
