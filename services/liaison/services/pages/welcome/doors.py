"""The doors of the territory: who one can be, and what to try there in ten minutes. French source strings."""

from dataclasses import dataclass
from typing import Final

from liaison.services.pages.marking import _


@dataclass(frozen=True, slots=True)
class Door:
    """`key` as in sandbox.json; `group` is one of GROUPS; `about` are the keys of patients whose identity one must know."""

    key: str
    group: str
    sentence: str
    steps: tuple[str, ...]
    about: tuple[str, ...] = ()


GROUPS: Final = {
    "surgery": _("Au cabinet et à la maison de santé"),
    "home": _("À domicile"),
    "hospital": _("À l’hôpital et en garde"),
    "coordination": _("Coordination et contrôle"),
    "people": _("Les personnes et leurs proches"),
}

DOORS: Final = (
    Door(
        "gp",
        "surgery",
        _("Le médecin traitant, sans logiciel FHIR : tout se fait dans ces pages."),
        (
            _("Ouvrez le dossier de Jeannine Robic : une alerte de l’aide à domicile attend votre réponse."),
            _("Lisez « À savoir » et « Depuis votre dernier passage », puis répondez « J’ai vu » avec une consigne d’une ligne."),
            _("Regardez son plan BPCO : étapes faites, à faire, et qui en est chargé."),
            _("Dans « Mesures », ajoutez une mesure : elle vient en tête, et celles d’avant se déplient."),
            _("Ouvrez le dossier d’Hervé Marchand, puis « Documents et notes » : vous y voyez deux éléments masqués, parce que vous en êtes l’auteur. L’infirmière ne saura pas qu’ils existent."),
            _("En bas d’un dossier, ouvrez l’application d’exemple : refusez-lui une ligne, puis retirez-lui l’accès dans « Mes applications »."),
            _("Vous partez une semaine : sous « Remplacement et secrétariat », nommez votre remplaçant, sous le numéro RPPS 99709000022, avec le numéro de son autorisation et son dernier jour. L’annuaire ne le connaît pas : aucun droit ne s’ouvre avant qu’un administrateur ait confirmé sa profession."),
        ),
    ),
    Door(
        "nurse",
        "surgery",
        _("L’infirmière libérale, destinataire des alertes orange."),
        (
            _("Répondez à l’alerte de Jeannine Robic, si le médecin ne l’a pas déjà fait."),
            _("Cherchez Yvonne Moisan dans « Mes patients » : elle s’oppose à ce que vous voyiez son dossier, qui n’apparaît nulle part."),
            _("Ouvrez le dossier de René Evanno : oxygène à domicile, deux passages par jour."),
            _("Ouvrez le dossier de Laurent Fontaine : ce qui est sensible n’y est pas pour vous."),
        ),
    ),
    Door(
        "pharmacist",
        "surgery",
        _("La pharmacienne : traitements, allergies, analyses et éducation thérapeutique."),
        (
            _("Ouvrez le dossier d’Annick Lorho, sortie de l’hôpital il y a cinq jours : sous « Traitement », comparez ce qui est en cours et ce qui est arrêté."),
            _("Remarquez ce qui manque : les constantes prises au cabinet et les notes de consultation ne sont pas de votre métier."),
        ),
    ),
    Door(
        "physio",
        "surgery",
        _("Le kinésithérapeute, hors de la maison de santé."),
        (
            _("Ouvrez le dossier de Jean-Yves Danielo, puis « Documents et notes » : sa réadaptation respiratoire, séance après séance."),
            _("Ouvrez celui de Sandrine Benali : vous n’êtes pas de l’équipe, elle a consenti à ce partage précis."),
        ),
    ),
    Door(
        "gp_outside",
        "surgery",
        _("Un médecin généraliste hors de la maison de santé."),
        (
            _("Vos patients sont là, ceux de la maison de santé n’existent pas pour vous."),
            _("Ouvrez le dossier de Patrick Gicquel : le programme d’éducation lui a été proposé."),
            _("Accueillez une personne nouvelle, puis constituez son équipe."),
            _("Eugène Le Sommer est amené sans connaissance : sous « Mes patients », « Cette personne n’est pas dans ma liste », ouvrez un accès d’urgence avec l’identité ci-dessous, puis terminez-le."),
        ),
        about=("heart",),
    ),
    Door(
        "substitute_active",
        "surgery",
        _("Une remplaçante, dont l’autorisation court encore quinze jours."),
        (
            _("Vous voyez les patients du Dr Kerbrat, et eux seuls. Cela cessera de soi-même à la date prévue."),
            _("Ouvrez un dossier : le journal dira que vous l’avez vu, et que c’était en remplacement."),
        ),
    ),
    Door(
        "substitute_expired",
        "surgery",
        _("Un remplaçant dont l’autorisation est passée."),
        (
            _("Entrez : aucun rôle ne vous est proposé, et aucun dossier n’est ouvert."),
        ),
    ),
    Door(
        "trainee",
        "surgery",
        _("Une interne en stage chez le Dr Guillemot."),
        (
            _("Vous voyez ce que voit votre maître de stage, sauf les données sensibles : comparez le dossier de Laurent Fontaine."),
        ),
    ),
    Door(
        "secretary",
        "surgery",
        _("La secrétaire du Dr Guillemot : identités et rendez-vous, rien de clinique."),
        (
            _("Ouvrez le dossier d’Odette Maho : vous y trouvez l’identité, les coordonnées et les rendez-vous."),
            _("Dans « Accords et oppositions », enregistrez l’opposition d’une personne, ou l’information qu’elle a reçue."),
        ),
    ),
    Door(
        "aide",
        "home",
        _("L’aide à domicile, sur un téléphone. Prenez le vôtre."),
        (
            _("Ouvrez une visite de la tournée d’aujourd’hui. Avant de sonner, lisez ce qu’il faut savoir : trois choses au plus."),
            _("Enregistrez une visite sans rien à signaler : quatre touches suffisent."),
            _("Enregistrez une autre visite avec un souffle plus court : l’alerte part à l’infirmière et au médecin."),
            _("Entrez comme Dr Guillemot, répondez à l’alerte, puis revenez ici : sa consigne est là, sous « On vous répond »."),
        ),
    ),
    Door(
        "aide2",
        "home",
        _("Un second aide à domicile, avec une autre tournée."),
        (
            _("Comparez les deux tournées : chacun ne voit que les personnes qu’il visite."),
        ),
    ),
    Door(
        "practice_referent",
        "surgery",
        _("La référente de la maison de santé : elle tient l’équipe, elle ne lit aucun dossier."),
        (
            _("Ouvrez « Mon équipe » : chacun, sa fonction, son dernier jour."),
            _("Ajoutez une infirmière, sous le numéro RPPS 99709000014 : elle reçoit un lien que vous lui remettez."),
            _("Essayez de vous ajouter vous-même : ce n’est pas possible. Les autres structures ne sont pas ici : vous n’y ajoutez et n’y suspendez personne."),
            _("Suspendez une personne : ce qu’elle a d’ouvert se ferme aussitôt."),
        ),
    ),
    Door(
        "ward_referent",
        "hospital",
        _("La cadre de pneumologie, référente de son unité."),
        (
            _("Ouvrez « Mon équipe » : les personnes de l’unité, et elles seules."),
            _("Ajoutez un interne : son dernier jour, et le médecin qui en répond."),
        ),
    ),
    Door(
        "home_service_manager",
        "home",
        _("La responsable du service d’aide à domicile."),
        (
            _("Dans « Mes patients », ouvrez le dossier d’Odette Maho : le plan d’aide, les visites et les notes de votre service, la situation sociale et les notes de liaison de l’équipe dans « Documents et notes », ni problème de santé ni traitement."),
            _("Dans le dossier de Jeannine Robic, retrouvez l’alerte d’aujourd’hui, dont vous êtes en copie."),
            _("Sylvie Le Dantec est malade ce week-end : dans « Mon équipe », ajoutez quelqu’un, puis donnez-lui sa tournée."),
            _("Sous « Téléphones du service », ajoutez le téléphone que vous tenez. Dans « Aujourd’hui », touchez « Ma tournée, même sans réseau », choisissez un code, puis coupez le réseau et écrivez une visite."),
        ),
    ),
    Door(
        "social_worker",
        "home",
        _("L’assistante sociale du CCAS."),
        (
            _("Ouvrez le dossier d’Odette Maho, puis « Documents et notes » : l’évaluation sociale est de votre métier, le dossier de soins ne l’est pas. Les notes de liaison sont pour toute l’équipe."),
        ),
    ),
    Door(
        "hospital_doctor",
        "hospital",
        _("La pneumologue du service : un séjour en cours, un seul dossier ouvert."),
        (
            _("Vous ne voyez que Gérard Burel, hospitalisé depuis trois jours. Le séjour ouvre le dossier ; il se refermera 24 heures après la sortie."),
            _("Lisez ce que la ville savait de lui avant l’admission : problèmes, traitement, plan, et « Documents et notes »."),
        ),
    ),
    Door(
        "psychiatrist",
        "hospital",
        _("Le psychiatre du centre médico-psychologique."),
        (
            _("Ouvrez le dossier de Stéphane Colin : ses consultations au CMP dans « Documents et notes », son plan de prévention dans « Plan »."),
            _("Puis entrez comme Catherine Morvan, pharmacienne : rien de la psychiatrie n’y est écrit."),
        ),
    ),
    Door(
        "on_call_doctor",
        "hospital",
        _("La médecin de garde, sans patient en ce moment."),
        (
            _("Votre liste est vide : une garde n’ouvre aucun dossier par elle-même."),
            _("Hier soir, vous avez ouvert en urgence celui de Raymond Samson : l’auditrice va revoir cet accès. Si elle vous a posé une question, elle est en haut de la page : répondez."),
            _("Hervé Marchand est trouvé inconscient : sous « Mes patients », ouvrez un accès d’urgence avec l’identité ci-dessous et un motif. Ce qui est masqué le reste ; l’heure de la fin est en haut de la page."),
            _("Essayez avec Danielle Perron, qui s’y est opposée d’avance : la réponse est celle qu’on donne pour un inconnu."),
            _("Terminez l’accès : le dossier se referme aussitôt, et l’auditrice a un accès de plus à revoir."),
        ),
        about=("masked", "emergency_objection"),
    ),
    Door(
        "call_handler",
        "hospital",
        _("L’opératrice de la plateforme téléphonique."),
        (
            _("Sans appel en cours, aucun dossier n’est ouvert."),
            _("Quelqu’un appelle au sujet de Jeannine Robic : ouvrez l’appel avec l’identité ci-dessous. Vous voyez son équipe, ses alertes et ses passages, rien de médical."),
            _("Essayez une autre date de naissance : la réponse ne dit pas si la personne est connue."),
            _("Terminez l’appel : le dossier se referme aussitôt, et le médecin traitant lit ce qui a été décidé."),
        ),
        about=("bpco_04",),
    ),
    Door(
        "regulating_doctor",
        "hospital",
        _("La médecin régulatrice, qui répond des appels de la plateforme."),
        (
            _("Entrez d’abord comme opératrice et ouvrez un appel au sujet de Jeannine Robic, sous la responsabilité du Dr Jaffré ; puis revenez ici."),
            _("Prenez cet appel, ou ouvrez-en un avec l’identité ci-dessous : le dossier se lit comme en urgence, le temps de l’appel."),
            _("Essayez avec Danielle Perron : elle s’oppose à l’accès d’urgence, la réponse ne dit pas si elle est connue."),
            _("Notez ce qui est décidé et terminez l’appel : le dossier se referme, le médecin traitant est informé."),
        ),
        about=("bpco_04", "emergency_objection"),
    ),
    Door(
        "coordinator",
        "coordination",
        _("L’infirmière coordinatrice du parcours BPCO."),
        (
            _("Ouvrez la cohorte : douze personnes, leur prochaine étape, leur retard."),
            _("Marcel Cadic a manqué l’atelier 2. Sous « Séances », préparez-en un : il y est proposé. Inscrivez-le, imprimez sa convocation ; d’une séance préparée à la date d’hier, notez-le présent ou absent, d’une touche."),
            _("Nicole Jouan attend sa spirométrie depuis plusieurs semaines : dans la cohorte, qui en est chargé ? Ouvrez cette étape : dites qu’elle est faite, à sa vraie date, ou pourquoi elle ne le sera pas."),
            _("Dans le plan de quelqu’un, « Appliquer un protocole » montre d’abord l’aperçu : de vraies dates, des membres de son équipe."),
        ),
    ),
    Door(
        "coordinator_admin",
        "coordination",
        _("Le coordinateur administratif : des nombres, aucun nom."),
        (
            _("Ouvrez les indicateurs : les effectifs sous onze sont cachés."),
        ),
    ),
    Door(
        "patient_educator",
        "people",
        _("Yannick Floury, patient intervenant d’une association agréée."),
        (
            _("Vous êtes nommé pour un atelier de la semaine prochaine : le jour, l’heure, le lieu, et un seul prénom, celui de la personne qui l’a accepté. L’autre est comptée, pas nommée."),
            _("Entrez comme Gwenola Riou, la coordinatrice, ouvrez cet atelier sous « Séances » et retirez l’accord de Loïc Kervadec ; revenez ici : son prénom n’y est plus."),
            _("Aucun dossier, aucune recherche, aucun logiciel ne vous ouvre autre chose."),
        ),
    ),
    Door(
        "auditor",
        "coordination",
        _("L’auditrice des accès : les traces, jamais le contenu."),
        (
            _("« Qui a vu ce dossier ? » : donnez l’identité de Jeannine Robic, ci-dessous, et un motif. Une ligne est une visite ; dépliez-la jusqu’aux lignes du journal. Le dossier n’a qu’un numéro : « Voir le nom » demande pourquoi."),
            _("« Qu’a fait ce professionnel ? » : cherchez Kerbrat. Sous « Affiner » et « Heures et jours », retrouvez tous les dossiers ouverts hier vers 12 h. Exportez-les : la dernière ligne du fichier porte leur nombre et leur empreinte."),
            _("Sous « En faire une revue », donnez un nom à cette recherche, puis signez-la : elle garde sa période, ses règles et ses nombres."),
            _("« Accès d’urgence à revoir » : celui de 22 h 40 au dossier de Raymond Samson. Qui, pourquoi, et votre avis. Choisissez « À éclaircir » et posez une question : elle paraît sur les pages de la médecin de garde, et sa réponse sur les vôtres."),
            _("« Accès inhabituels à revoir » : une demande de nuit sans lien de soin, et beaucoup de dossiers ouverts en une heure. Ouvrez la demande de nuit, choisissez « Non justifié » et dites pourquoi : le délégué donne le second avis."),
            _("« Le journal est-il intact ? » : téléchargez la preuve d’une ligne. Puis, dans un terminal, changez une ligne avec « liaison sandbox tamper change » : la page la nomme. « liaison sandbox tamper undo » la remet."),
            _("« Répondre à un patient » : donnez l’identité de Jeannine Robic. Vous lisez ce qu’elle lirait sur sa page, et vous l’imprimez."),
            _("Dans « Accès inhabituels », donnez à la note au personnel la date d’avant-hier, puis mettez en marche la règle du nom de famille à partir de ce jour : elle trouve un médecin et son homonyme."),
        ),
        about=("bpco_04", "emergency_review"),
    ),
    Door(
        "admin",
        "coordination",
        _("L’administrateur : il gère le service, il ne lit aucun dossier."),
        (
            _("Quand le délégué demande de suspendre quelqu’un, cela vous attend sous « Suspensions demandées » : une touche, et ses accès se ferment."),
            _("Ouvrez « Comptes », puis un compte : suspension, dernier jour, un nouveau lien tant que le premier n’a pas servi ; rétablir un accès demande un second administrateur."),
            _("Ouvrez « Logiciels » : qui a été approuvé, et où il est en service. Aucune page ne mène à un dossier."),
            _("Avec un jeton d’administrateur, un logiciel tient l’annuaire ; la commande liaison fait le reste : comptes, sauvegarde, état du service."),
        ),
    ),
    Door(
        "dpo",
        "coordination",
        _("Le délégué à la protection des données : ce qu’on lui signale, et ce qu’il revoit."),
        (
            _("Lisez vos avis : l’accès d’urgence de 22 h 40, et qui tient un rôle de confiance."),
            _("Revoyez l’accès d’urgence : l’avis est lu du même coup."),
            _("Donnez le second avis sur un accès que l’auditrice a jugé non justifié : une affaire s’ouvre, avec les 72 heures de la CNIL."),
            _("Dans « Affaires », demandez la suspension de son accès : l’administrateur la fait en une touche. Décidez ensuite pour la personne et pour la CNIL, fermez l’affaire, et imprimez-la."),
            _("Entrez comme Loïc Kervadec et posez une question sur un accès, puis revenez : sous « Questions des patients », vérifiez et répondez. Vous n’avez pas son nom."),
            _("« Les revues en chiffres », sous « Affaires » : par structure, ce qui attend, et en combien de temps on revoit."),
            _("Regardez « Accès rétablis » et « Logiciels » : rien ne s’y décide sans vous."),
        ),
    ),
    Door(
        "patient_a",
        "people",
        _("Loïc Kervadec, suivi pour une BPCO, lit son propre dossier."),
        (
            _("Lisez votre dossier, puis votre plan : les objectifs atteints y sont marqués."),
            _("Dans « Qui a vu mon dossier ? », voyez qui l’a ouvert, quand, à quel titre et pourquoi. « Imprimer » le met sur papier."),
            _("Vous avez accepté qu’un patient intervenant lise votre prénom : dans « Accords et oppositions », lisez ce qui s’arrête, puis retirez cet accord seul."),
            _("La pharmacienne l’a ouvert hier soir. Touchez « Je ne comprends pas cet accès » et posez votre question : le délégué à la protection des données vous répond sur cette page."),
            _("Ouvrez votre dossier dans l’application d’exemple, puis retirez-lui l’accès dans « Mes applications »."),
        ),
    ),
    Door(
        "patient_b",
        "people",
        _("Sandrine Benali, qui a consenti à un partage précis."),
        (
            _("Ouvrez votre dossier, puis « Accords et oppositions » : retrouvez-y votre consentement au partage avec le kinésithérapeute."),
        ),
    ),
    Door(
        "guardian",
        "people",
        _("Sylvain Maho, tuteur de sa mère."),
        (
            _("Vous lisez le dossier d’Odette Maho, sauf ce qu’un tiers a confié à un soignant, et ce qui est le plus sensible."),
            _("« Qui a vu ce dossier ? » suit la même règle : ce que vous ne pouvez pas lire ne vous est pas montré comme ouvert. Vous aussi pouvez demander pourquoi."),
        ),
    ),
    Door(
        "caregiver",
        "people",
        _("Laurent Robic, que sa mère a désigné pour le carnet partagé."),
        (
            _("Lisez les mots du carnet et les prochains passages : rien d’autre de son dossier n’est ouvert pour vous."),
            _("Avant d’écrire, regardez qui lira votre mot ; puis écrivez-le."),
            _("Entrez comme Dr Guillemot, retirez l’accord de Jeannine Robic dans « Accords et oppositions », et revenez ici : votre accès est fermé, et la porte le dit."),
        ),
    ),
)  # fmt: skip

BY_KEY: Final = {door.key: door for door in DOORS}
