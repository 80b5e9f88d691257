"""How long each kind of data is kept, what ends it, and why: the retention table (RGPD art. 5.1 e), line by line.

Periods are read from the code that applies them. What the operator decides is said to be so.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, NamedTuple

from liaison.auth.access import asking_limits
from liaison.auth.oauth2.rfc6749 import refresh_tokens
from liaison.auth.people import browsers, identity_checks, invitations, kept_forms, sent_forms, visit_keys
from liaison.auth.retention.rules import Rules
from liaison.fhir.store import sweep
from liaison.services.custody.outside import HORIZON

_STRUCTURES: Final = {"hospital": "établissement de santé", "liberal": "libéral, maison de santé, service à domicile"}


class Kept(NamedTuple):
    """One line. `ends` says what makes it go; `reason` why so long and no longer; `source` the text, or « défaut »."""

    what: str
    period: str
    ends: str
    reason: str
    source: str


def lines(rules: Rules, journal: str) -> list[Kept]:
    """`journal`: how long the journal is kept, in words."""
    return [*_records(rules), _journal(journal), *_looked_at(), *_rights(), *_technical()]


def _records(rules: Rules) -> Iterator[Kept]:
    for rule in rules.rules:
        yield Kept(
            f"Dossier partagé, {_STRUCTURES.get(rule.kind, rule.kind)}",
            f"{rule.active_years} ans en usage courant, {rule.kept_years} ans en tout ; au moins jusqu'à {rule.until_age} ans ;"
            f" {rule.after_death_years} ans après le décès s'il survient dans les {rule.death_within_years} ans",
            "`liaison retention apply`, après la liste montrée par `plan` et la décision d'une personne nommée ; la clé du"
            " dossier est détruite",
            "continuité des soins, preuve en cas de litige ; un litige suspend tout délai",
            rule.source,
        )
    yield Kept(
        "Trace de la destruction d'un dossier (numéro, jour, qui a décidé)",
        "sans limite",
        "ne contient rien de la personne",
        "empêcher qu'une restauration ramène ce qui a été détruit",
        "défaut",
    )


def _journal(journal: str) -> Kept:
    return Kept(
        "Journal des accès (qui, quand, à quel titre, pourquoi)",
        journal,
        "`liaison journal expire` : la clé du mois est détruite, le contenu devient illisible ; la preuve que rien n'a été retiré reste",
        "répondre à la personne et au juge aussi longtemps qu'un accès peut être contesté",
        "CSP R.1111-43, L.1142-28, CNIL (journalisation) ; durée : décidée à l'installation",
    )


def _looked_at() -> Iterator[Kept]:
    """What is made of the journal: reviews, questions, and what the officer is told."""
    yield Kept(
        "Accès à revoir : ce que les règles ont trouvé, avis, question à l'intéressé et réponse, affaire",
        "comme le dossier",
        "la destruction du dossier ; un blocage les garde avec lui",
        "savoir qui a décidé quoi d'un accès, si la personne ou le professionnel le conteste",
        "RGPD art. 5.2, 33.5 ; durée : défaut",
    )
    yield Kept(
        "Questions sur un accès, posées par la personne ou son représentant, et réponses",
        "comme le dossier",
        "la destruction du dossier",
        "montrer à la personne ce qu'elle a demandé, et ce qu'on lui a répondu",
        "RGPD art. 12 et 15 ; durée : défaut",
    )
    yield Kept(
        "Revues du journal (question, comptes, qui a signé)",
        "sans limite",
        "rien ; ne contiennent aucun nom de patient",
        "montrer que les accès sont contrôlés régulièrement",
        "RGPD art. 5.2 et 32 ; durée : défaut",
    )
    yield Kept(
        "Avis à lire du délégué (numéros, genre, jour)",
        "comme le dossier ; sans limite pour ce qui ne touche aucun dossier",
        "la destruction du dossier",
        "retrouver quand le délégué a été averti, et quand il a lu",
        "RGPD art. 38.1 ; durée : défaut",
    )


def _rights() -> Iterator[Kept]:
    yield Kept(
        "Accords, oppositions, preuves d'information",
        "comme le dossier",
        "avec le dossier",
        "prouver que le partage était permis, ou refusé",
        "CSP D.1110-3-2, R.1110-3",
    )
    yield Kept(
        "Contrôle de l'identité d'une personne avant l'ouverture de son compte",
        f"permet d'ouvrir un compte pendant {days(identity_checks.LASTS)} ; gardé avec le compte ou le dossier",
        "la destruction du dossier",
        "savoir qui a vu quelle pièce, si le compte est contesté ; aucune copie de la pièce n'est gardée",
        "RNIV ; durée : défaut",
    )
    yield Kept(
        "Comptes des professionnels et des agents",
        "tant que le contrat court ; ensuite le compte est fermé, le nom reste dans le journal",
        "la fin du contrat ou la décision du responsable",
        "attribuer chaque accès à une personne, même partie",
        "CSP R.1111-43",
    )
    yield Kept(
        "Destinataires désignés des alertes et des signalements : qui, jours et heures, dates",
        "sans limite ; la désignation finie garde ses dates",
        "rien : à décider ici",
        "dire qui devait recevoir une alerte ou un signalement ce jour-là",
        "défaut",
    )
    yield Kept(
        "Messages aux destinataires des alertes, convocations aux personnes : à qui, par quelle voie, quand, et si c'est parti",
        "autant que le dossier",
        "la destruction du dossier",
        "dire si une alerte est partie, et vers qui",
        "défaut",
    )
    yield Kept(
        "Séances : numéro, compte, rôle, structure, début et fin, des pages et des logiciels",
        f"{hours(timedelta(seconds=browsers.LIFETIME))} au plus ; la dernière d'un logiciel, tant qu'il reste autorisé",
        "la suppression d'office, un jour après",
        "refuser dès la requête suivante ce qui a pris fin ; le journal dit lui-même qui a ouvert la séance",
        "défaut",
    )
    yield Kept(
        "Visites envoyées d'un téléphone : le reçu, et le contenu tant qu'une personne doit le vérifier",
        f"comme le dossier ; les clés qui les ouvrent, {days(visit_keys.KEPT)}",
        "la destruction du dossier ; le contenu, dès qu'il est rangé",
        "ne ranger une visite qu'une fois, et ne perdre aucune de celles qui ne se rangent pas seules",
        "défaut",
    )
    yield Kept(
        "Logiciels reliés : enregistrement, qui l'a approuvé, demandes, jetons de renouvellement",
        f"l'enregistrement, sans limite ; un jeton, {days(timedelta(seconds=refresh_tokens.OFFLINE))} au plus",
        "la suppression d'office des jetons, un jour après",
        "nommer dans le journal le logiciel qui a lu, même quand il n'est plus relié",
        "CSP R.1111-43 ; durée : défaut",
    )


def _technical() -> Iterator[Kept]:
    yield Kept(
        "Session d'une page",
        f"{hours(timedelta(seconds=browsers.LIFETIME))} au plus, {minutes(browsers.IDLE)} sans rien faire",
        "la suppression d'office, un jour après",
        "ne pas laisser un poste ouvert",
        "référentiel Pro Santé Connect",
    )
    yield Kept(
        "Invitation, lien de première connexion",
        hours(invitations.LASTS),
        "l'usage, ou la suppression d'office",
        "un lien perdu ne doit pas servir",
        "défaut",
    )
    yield Kept(
        "Essais pour retrouver quelqu'un par son identité",
        hours(asking_limits.WINDOW),
        "la suppression d'office",
        "limiter les essais, sans garder qui a été cherché",
        "défaut",
    )
    yield Kept(
        "Formulaire interrompu par la fin d'une session",
        hours(kept_forms.LASTS),
        "la reprise, ou la suppression d'office",
        "ne rien perdre de ce qui était écrit",
        "défaut",
    )
    yield Kept(
        "Vues de la cohorte, gardées sous un nom : la question, jamais la réponse",
        "tant que la personne les garde",
        "la personne elle-même, sur la page de la cohorte",
        "retrouver d'un geste les mêmes lignes ; le nom et la question sont chiffrés",
        "défaut",
    )
    yield Kept(
        "Formulaire envoyé : son empreinte, et la page où il a mené",
        hours(sent_forms.KEPT),
        "la suppression d'office",
        "ne rien enregistrer deux fois",
        "défaut",
    )
    yield Kept(
        "Index de recherche d'une version remplacée",
        minutes(sweep.AFTER),
        "la suppression d'office",
        "finir les recherches en cours ; les valeurs y sont des empreintes sous la clé de la personne",
        "défaut",
    )
    yield Kept(
        "Sauvegardes (chiffrées, sans les clés)",
        f"{days(HORIZON)} au plus",
        "l'opérateur les supprime ; jusque-là un dossier détruit y reste, et une restauration le détruit de nouveau",
        "réparer une erreur vue tard ; au-delà, une restauration ne saurait plus rejouer les oppositions faites depuis",
        "défaut",
    )


def days(period: timedelta) -> str:
    return f"{period.days} jours"


def hours(period: timedelta) -> str:
    count = period // timedelta(hours=1)
    return f"{count} heure{'s' if count > 1 else ''}"


def minutes(period: timedelta) -> str:
    return f"{period // timedelta(minutes=1)} minutes"
