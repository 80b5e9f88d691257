"""What the acts of the journal are called on the pages, and what is said of one: whom it concerned, on whose word, how it came out."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from liaison.auth.journal.acts import Act
from liaison.auth.journal.told import Told
from liaison.auth.unusual.cases import Step
from liaison.services.pages.audit.to_review import OUTCOMES
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading.punctuation import colon

WORDS: Final[Mapping[Act, str]] = {
    Act.FIRST_ADMINISTRATOR: _("Compte du premier administrateur ouvert"),
    Act.ACCOUNT_ADDED: _("Compte ouvert"),
    Act.ACCOUNT_ELSEWHERE: _("Compte ouvert à la première connexion par Pro Santé Connect"),
    Act.INVITED: _("Compte ouvert, avec un lien à usage unique"),
    Act.SUSPENDED: _("Compte suspendu"),
    Act.RESUMED: _("Compte rétabli"),
    Act.LINK: _("Nouveau lien d'entrée pour un compte"),
    Act.CODE: _("Nouveau premier code pour un compte"),
    Act.ENDED: _("Compte terminé"),
    Act.END_MOVED: _("Dernier jour d'un compte changé"),
    Act.RECOVERY_ASKED: _("Accès à rétablir : demandé"),
    Act.RECOVERY_GRANTED: _("Accès rétabli par deux administrateurs"),
    Act.RECOVERED: _("Accès rétabli à la console"),
    Act.RECOVERY_READ: _("Accès rétabli : vu par le délégué"),
    Act.ENVELOPE_SEALED: _("Nouveau code de l'enveloppe scellée"),
    Act.FIRST_PIN: _("Premier code PIN choisi"),
    Act.PASSWORD: _("Mot de passe choisi par un lien à usage unique"),
    Act.APP_ADDED: _("Application de codes ajoutée"),
    Act.APP_REMOVED: _("Application de codes retirée"),
    Act.PASSKEY_ADDED: _("Clé d'accès ajoutée"),
    Act.PASSKEY_REMOVED: _("Clé d'accès retirée"),
    Act.IDENTITY_CHECKED: _("Pièce d'identité vue, pour l'accès en ligne"),
    Act.CLIENT_ADDED: _("Logiciel enregistré"),
    Act.CLIENT_KEYS: _("Clés d'un logiciel remplacées"),
    Act.CLIENT_REVIEWED: _("Enregistrement d'un logiciel revu"),
    Act.CLIENT_SUSPENDED: _("Logiciel suspendu"),
    Act.CLIENT_RESUMED: _("Logiciel rétabli"),
    Act.CLIENT_ENDED: _("Enregistrement d'un logiciel terminé"),
    Act.CLIENT_ASKED: _("Demande d'un éditeur reçue"),
    Act.CLIENT_REPORT: _("Rapport de conformité d'un logiciel reçu"),
    Act.CLIENT_ON: _("Logiciel ouvert à une structure"),
    Act.CLIENT_OFF: _("Logiciel fermé à une structure"),
    Act.CLIENT_APPROVED: _("Demande d'un éditeur approuvée"),
    Act.CLIENT_REFUSED: _("Demande d'un éditeur refusée"),
    Act.APPLICATION_WITHDRAWN: _("Accès d'une application retiré par son utilisateur"),
    Act.PHONE_ENROLLED: _("Téléphone du service ajouté"),
    Act.PHONE_ENDED: _("Téléphone du service retiré"),
    Act.MANDATE: _("Mandat sur le journal du territoire donné"),
    Act.MANDATE_ENDED: _("Mandat sur le journal du territoire retiré"),
    Act.RULES_ADOPTED: _("Table des règles adoptée"),
    Act.RULES_WITHDRAWN: _("Table des règles retirée"),
    Act.RIGHTS_COMPUTED: _("Droits recalculés"),
    Act.DESIGNATED: _("Lecteur des informations préoccupantes désigné"),
    Act.TAKEN_OFF: _("Lecteur des informations préoccupantes retiré"),
    Act.ALERT_READER: _("Destinataire des alertes désigné"),
    Act.ALERT_READER_ENDED: _("Destinataire des alertes retiré"),
    Act.NOTICE_READ: _("Avis marqué comme lu"),
    Act.REGISTER: _("Accueil de la personne"),
    Act.JOIN: _("Entrée dans une équipe"),
    Act.OPPOSITION: _("Opposition au partage"),
    Act.OPPOSITION_WITHDRAWN: _("Opposition retirée"),
    Act.ATTENDING_DOCTOR: _("Médecin traitant déclaré"),
    Act.CALL: _("Appel à la plateforme"),
    Act.ARCHIVED: _("Dossier archivé"),
    Act.REOPENED: _("Dossier archivé rouvert à son équipe"),
    Act.IDENTIFIED: _("Identité vérifiée"),
    Act.MERGED: _("Dossiers fusionnés"),
    Act.UNMERGED: _("Fusion annulée"),
    Act.TOLD_APART: _("Deux personnes, dit après comparaison"),
    Act.SIGNING_KEYS: _("Clés de signature des accès remplacées"),
    Act.JOURNAL_KEY: _("Clé de signature du journal remplacée"),
    Act.VISIT_KEY: _("Clé des visites des téléphones remplacée"),
    Act.ENVELOPES: _("Codes de la clé imprimés pour des enveloppes"),
    Act.MONTHS_DESTROYED: _("Clés de mois du journal détruites"),
    Act.SETTINGS: _("Réglages du service changés"),
    Act.PROTOCOL_PUBLISHED: _("Protocoles publiés dans la base"),
    Act.SIGNAL_ADOPTED: _("Signal d'un protocole mis en service"),
    Act.SIGNAL_WITHDRAWN: _("Signal d'un protocole retiré du service"),
    Act.UNUSUAL_RULE: _("Règle d'accès inhabituels réglée"),
    Act.UNUSUAL_NOTICE: _("Date de la note aux professionnels inscrite"),
    Act.HELD: _("Dossier bloqué : il ne sera pas détruit"),
    Act.LIFTED: _("Blocage d'un dossier levé"),
    Act.MANY_UNUSUAL: _("Liste des accès inhabituels lue"),
    Act.UNUSUAL: _("Accès inhabituel lu"),
    Act.UNUSUAL_REVIEWED: _("Avis donné sur un accès inhabituel"),
    Act.UNUSUAL_ANSWERED: _("Réponse de l'intéressé sur un accès inhabituel"),
    Act.UNUSUAL_TRIED: _("Règle d'accès inhabituels essayée sur le passé"),
    Act.CASES: _("Liste des affaires lue"),
    Act.CASE: _("Affaire lue"),
    Act.CASE_STEP: _("Étape d'une affaire"),
    Act.CASE_SHEET: _("Fiche d'une affaire imprimée"),
    Act.CASE_LETTER: _("Lettre à la personne imprimée, avec son nom"),
    Act.REVIEW_SAVED: _("Revue enregistrée"),
    Act.REVIEW_SIGNED: _("Revue signée"),
    Act.REVIEW_SHEET: _("Fiche d'une revue imprimée"),
    Act.QUESTIONED: _("Accès questionné par la personne"),
    Act.ANSWERED: _("Réponse à la question de la personne"),
    Act.READ_WHOLE: _("Question lue en entier, avec un motif"),
    Act.UNMASKED: _("Identité levée, avec un motif"),
    Act.VERIFIED: _("Journal vérifié"),
    Act.PROVEN: _("Preuve d'une ligne du journal"),
    Act.JOURNAL_EXPORTED: _("Journal exporté"),
    Act.UNUSUAL_SEARCHED: _("Recherche des accès inhabituels"),
    Act.RECORDS_GRANTED: _("Droits de tous les dossiers recalculés"),
    Act.RELABELLED: _("Catégories d'un dossier recalculées"),
    Act.INDEXED: _("Index de recherche refait"),
    Act.MEASURED: _("Indicateur calculé"),
    Act.VISIT_WAITS: _("Visite d'un téléphone mise de côté"),
    Act.VISITS_EXPORTED: _("Visites exportées"),
    Act.MESSAGE: _("Message envoyé à un destinataire des alertes"),
    Act.CONVOCATION: _("Convocation à une séance demandée"),
    Act.CONVOKED: _("Convocation envoyée à la personne, sans contenu"),
    Act.NUMBER: _("Numéro de téléphone du service changé"),
    Act.PLANNED: _("Plan de conservation lu"),
    Act.HOLDS: _("Liste des blocages lue"),
    Act.PAPERS: _("Documents du délégué produits"),
    Act.GENERATED: _("Lignes produites pour une mesure"),
    Act.SIGNED_IN: _("connexion"),
    Act.SIGNED_OUT: _("déconnexion"),
    Act.TOKEN: _("accès d'un logiciel"),
    Act.REFUSED_CALLS: _("appels refusés"),
    Act.RIGHTS: _("droits changés"),
    Act.EMERGENCY: _("accès d'urgence"),
    Act.EXPORTED: _("export"),
    Act.IMPORTED: _("import"),
    Act.JOB: _("tâche du service"),
    Act.JOURNAL_READ: _("journal lu"),
    Act.KEYS: _("clés"),
    Act.CONFIGURATION: _("réglages"),
    Act.BACKUP: _("sauvegarde"),
    Act.RESTORED: _("restauration"),
    Act.HOLD: _("blocage d'un dossier"),
    Act.DESTROYED: _("destruction d'un dossier"),
}
STEPS: Final = {
    Step.ASK_SUSPENSION: _("Suspension de l'accès demandée à un administrateur"),
    Step.SUSPENDED: _("Accès suspendu par un administrateur"),
    Step.ASK_EMPLOYER: _("Employeur interrogé"),
    Step.EMPLOYER_ANSWERED: _("Réponse de l'employeur"),
    Step.TELL_PERSON: _("Décision : la personne est informée"),
    Step.NOT_TELL_PERSON: _("Décision : la personne n'est pas informée"),
    Step.PERSON_TOLD: _("La personne est informée"),
    Step.NOTIFY: _("Décision : la violation est notifiée à la CNIL"),
    Step.NOT_NOTIFY: _("Décision : la CNIL n'est pas notifiée"),
    Step.CLOSE: _("Affaire close"),
}


class Concerned(NamedTuple):
    """What those whom acts concerned are called: accounts by number, software by number and by client_id, references of the directory."""

    accounts: Mapping[int, str]
    software: Mapping[int | str, str]
    directory: Mapping[str, str]


def act_said(told: Told, gettext: Gettext, concerned: Concerned) -> str:
    """The code itself for an act that this version has no words for. Who is a patient stays the number of an account."""
    detail = dict(told.detail)
    said = gettext(WORDS[told.act]) if told.act else told.code
    made = [said[:1].upper() + said[1:]]  # some of these words stand in sentences elsewhere
    step, outcome = detail.get("step"), detail.get("outcome")
    if told.act == Act.CASE_STEP and step in set(Step):
        made.append(gettext(STEPS[Step(step)]))
    if told.act == Act.UNUSUAL_REVIEWED and outcome in OUTCOMES:
        made.append(gettext(OUTCOMES[outcome]))
    words = colon(gettext, made[0], made[1]) if made[1:] else made[0]
    if named := _named(told, gettext, concerned):
        words = f"{words} ({', '.join(named)})"
    by = detail.get("by", "")
    return f"{words}, {gettext(_('sur décision de %(who)s')) % {'who': by}}" if by else words


def _named(told: Told, gettext: Gettext, concerned: Concerned) -> list[str]:
    account, telephone = gettext(_("compte nº %(number)s")), gettext(_("téléphone nº %(number)s"))
    return [
        *(concerned.accounts.get(one) or account % {"number": one} for one in told.accounts),
        *(concerned.software.get(one, one) for one in told.clients),
        *(concerned.software[one] for one in told.registrations if one in concerned.software),
        *(telephone % {"number": one} for one in told.phones),
        *(concerned.directory[one] for one in (*told.references, str(told.organization)) if one in concerned.directory),
    ]
