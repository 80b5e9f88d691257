"""What each door's sheet promises stands on the page that it names, and what it says is missing is missing. The steps that
are acts (a visit, an alert, an emergency, a call, a review) are walked by tests/browser."""

import html
import re

import pytest

from liaison.services.pages.welcome.doors import BY_KEY

from .conftest import Running, behind

pytestmark = pytest.mark.http

# Door, page, what must be there, what must not.
PROMISES: list[tuple[str, str, list[str], list[str]]] = [
    ("gp", "/territoire", ["60 personnes suivies"], []),
    ("gp", "/dossiers/{masked}/documents", ["Compte rendu d'une consultation à Rennes", "Masqué aux autres", "son fils"], []),
    ("gp", "/dossiers/{bpco_04}/plan", ["Spirométrie annuelle", "à faire", "fait, "], []),
    ("gp", "/equipe", ["Remplacement et secrétariat", "Numéro de l’autorisation", "Dernier jour"], ["Maëlle Tanguy"]),
    ("nurse", "/dossiers", ["Jeannine Robic", "René Evanno"], ["Moisan"]),
    ("nurse", "/dossiers/{bpco_06}", ["Oxygène 1,5 L/min"], []),
    ("nurse", "/dossiers/{sensitive}", ["Hypertension"], ["VIH"]),
    ("nurse", "/dossiers/{masked}/documents", ["Note de consultation"], ["Rennes", "son fils", "Masqué"]),
    ("pharmacist", "/dossiers/{bpco_07}", ["Arrêté", "Tiotropium et olodatérol", "Béclométasone"], []),
    ("pharmacist", "/dossiers/{bpco_07}/mesures", ["Créatinine"], ["Pression artérielle :"]),
    ("physio", "/dossiers/{bpco_08}/documents", ["Réadaptation respiratoire, séance 9", "séance 5"], []),
    ("physio", "/dossiers/{patient_b}", ["Lombalgie"], []),
    ("gp_outside", "/dossiers", ["Patrick Gicquel"], ["Jeannine Robic"]),
    ("gp_outside", "/lettres", ["Raymond Samson", "22:40"], []),
    ("gp_outside", "/dossiers/{bpco_11}", ["Proposition du programme d'éducation thérapeutique"], []),
    ("substitute_active", "/dossiers", ["Nicole Jouan", "Annick Lorho"], ["Jeannine Robic"]),
    ("trainee", "/dossiers/{sensitive}", ["Hypertension"], ["VIH"]),
    ("secretary", "/dossiers/{guarded}", ["Coordonnées", "Kervanec-sur-Scorle", "Toilette"], ["Alzheimer", "Périndopril"]),
    ("secretary", "/dossiers/{masked}", ["n'est pas ouvert à votre rôle"], ["Rien n'est noté", "/mesures", "Aucun plan"]),
    ("aide", "/aujourdhui", ["Marcel C.", "Eugène L."], ["Odette M."]),
    ("aide2", "/aujourdhui", ["Odette M."], ["Eugène L."]),
    ("home_service_manager", "/dossiers/{guarded}/documents", ["Visite à domicile", "Évaluation sociale", "Note de liaison"], ["Note de consultation"]),
    ("home_service_manager", "/dossiers/{guarded}/plan", ["Toilette et repas, six matins"], []),
    ("home_service_manager", "/telephones", ["Ajouter ce téléphone", 'href="/aujourdhui"'], []),
    ("social_worker", "/dossiers/{guarded}/documents", ["Évaluation sociale", "accueil de jour", "Note de liaison"], ["Note de consultation"]),
    ("hospital_doctor", "/dossiers", ["Gérard Burel"], ["Jeannine Robic"]),
    ("hospital_doctor", "/dossiers/{bpco_05}/documents", ["Note d'entrée", "Dr Anne-Laure Guillemot"], []),
    ("psychiatrist", "/dossiers/{psychiatry}/documents", ["Consultation au CMP", "Traitement retard", "Consultation externe"], []),
    ("psychiatrist", "/dossiers/{psychiatry}/plan", ["Plan de prévention partagé", "appeler le CMP"], []),
    ("pharmacist", "/dossiers/{psychiatry}", ["Stéphane Colin"], ["Schizophrénie", "Palipéridone", "CMP"]),
    ("pharmacist", "/dossiers/{psychiatry}/documents", ["Documents et notes"], ["Consultation au CMP", "retard"]),
    ("on_call_doctor", "/dossiers", ["Aucun dossier ne vous est ouvert", "Accès d'urgence"], []),
    ("call_handler", "/appels", ["Aucun appel en cours"], []),
    ("coordinator", "/cohorte", ["12 personnes suivies", "Marcel Cadic", "Nicole Jouan", "Dr Yves Kerbrat"], []),
    ("coordinator_admin", "/cohorte/indicateurs", ["effectif caché"], ["Robic"]),
    ("auditor", "/journal/integrite", ["Rien n'a été retiré, ajouté ni changé", "Télécharger la preuve"], []),
    ("auditor", "/journal", ["Qui a vu ce dossier ?", "Qu'a fait ce professionnel ?", "Accès d'urgence à revoir", "Accès inhabituels à revoir", "Répondre à un patient"], []),
    ("auditor", "/journal/dossiers/{bpco_04}", ["Voir le nom", "Affiner", "Heures et jours", "Exporter", "En faire une revue"], ["Robic"]),
    ("auditor", "/journal/professionnels", ["Nom du professionnel"], []),
    ("auditor", "/journal/signaux", ["Jour de la note d", "Le professionnel porte le nom de famille de la personne."], []),
    ("auditor", "/journal/urgences", ["Accès d'urgence, dossier", "Dr Nadia Haddad"], ["Samson"]),
    ("admin", "/logiciels", ["Logiciel de cabinet", "/administration/comptes"], ["/dossiers"]),
    ("dpo", "/avis", ["avis à lire", "accès d’urgence", "Olivier Penven", "Revoir cet accès"], ["Samson"]),
    ("dpo", "/journal/questions", ["Questions des patients"], ["Kervadec"]),
    ("dpo", "/journal/affaires", ["Les revues en chiffres"], []),
    ("admin", "/administration/suspensions", ["Suspensions demandées"], []),
    ("patient_educator", "/mes-seances", ["Atelier 4", "Salle d'éducation thérapeutique", "<li>Loïc</li>", "Et 1 autre personne"], ["Kervadec", "Jean-Yves", "Danielo", "/dossiers"]),
    ("practice_referent", "/equipe", ["Maëlle Tanguy", "Numéro RPPS", "Infirmier"], ["Nathalie Guéguen</h2>", "Élise Quéré"]),
    ("ward_referent", "/equipe", ["Médecin hospitalier"], ["Maëlle Tanguy"]),
    ("patient_a", "/dossiers/{patient_a}/plan", [", atteint"], []),
    ("patient_a", "/journal/dossiers/{patient_a}", ["La personne elle-même", "Catherine Morvan", "18:20", "Je ne comprends pas cet accès", "Imprimer"], []),
    ("patient_b", "/dossiers/{patient_b}/accords", ["Accord pour un partage", "Romain Le Gall", "Je reviens sur cette décision", "<strong>Sandrine Benali</strong>"], ["Elle revient"]),
    ("caregiver", "/carnet", ["Je passe samedi matin", "Qui lira ce mot", "Prochains passages"], ["BPCO", "Tanguy", "/dossiers"]),
    ("guardian", "/journal/dossiers/{guarded}", ["Maëlle Tanguy", "Je ne comprends pas cet accès"], []),
    ("guardian", "/dossiers/{guarded}", ["Qui a vu ce dossier ?"], ["Qui a vu mon dossier ?"]),
    ("guardian", "/dossiers/{guarded}/documents", ["Visite à domicile", "maladie d'Alzheimer"], ["entrée en établissement"]),
]  # fmt: skip


@pytest.mark.parametrize("door", sorted({one[0] for one in PROMISES}))
def test_what_a_sheet_promises_is_there(sandbox: Running, door: str) -> None:
    ids = {one["key"]: one["id"] for one in sandbox.known["patients"]}
    with behind(sandbox, door) as browser:
        for _, path, present, absent in (one for one in PROMISES if one[0] == door):
            answer = browser.get(re.sub(r"\{(\w+)\}", lambda found: str(ids[found[1]]), path))
            text = html.unescape(answer.text)
            assert answer.status_code == 200, path
            assert [words for words in present if words not in text] == [], path
            assert [words for words in absent if words in text] == [], path
            assert f'href="/territoire/{door}"' in text


def test_a_door_without_a_role_says_so(sandbox: Running) -> None:
    with behind(sandbox, "substitute_expired") as browser:
        assert "Aucun rôle en cours" in browser.get("/role").text


def test_every_door_is_followed_here_or_in_a_browser() -> None:
    walked = {"regulating_doctor", "substitute_expired"}  # tests/browser/test_platform.py; above

    assert {one[0] for one in PROMISES} | walked == set(BY_KEY)
