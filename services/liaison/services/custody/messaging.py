"""Whether alerts can be carried to those who read them: what `liaison doctor` says of the mailbox and of what did not arrive."""

import asyncio
import imaplib
import smtplib
from urllib.parse import urlsplit

import asyncpg

from liaison.services.custody.finding import BROKEN, LOOK, OK, Finding
from liaison.services.messages.carriers import TIMEOUT_SECONDS, Smtp, carriers
from liaison.services.messages.operator import BadOperator, Operator
from liaison.services.settings import Settings

_NAME = "messagerie"
_FILES = "Voir LIAISON_MSSANTE_… et LIAISON_NOTICES_FILE dans docs/configuration.md."
_SERVER = "Vérifier l'adresse, le compte et le certificat de l'opérateur MSSanté ; les alertes attendent, puis demandent de téléphoner."


async def messages(one: asyncpg.Connection, settings: Settings) -> Finding:
    """Signs in to both servers of the operator; sends nothing. No text of theirs is repeated."""
    try:
        on = carriers(settings)
    except BadOperator as error:
        return Finding(_NAME, BROKEN, str(error), _FILES)
    if not on.channels:
        return Finding(_NAME, OK, "aucun message n'est envoyé : les alertes se lisent sur les pages")
    if on.operator is not None:
        try:
            await asyncio.to_thread(_signs_in, on.operator)
        except (smtplib.SMTPException, imaplib.IMAP4.error, OSError) as error:
            return Finding(_NAME, BROKEN, f"l'opérateur MSSanté ne laisse pas entrer ({type(error).__name__})", _SERVER)
    waiting, lost = await one.fetchrow(
        "select count(*) filter (where state = 'waiting' and attempts > 0),"
        " count(*) filter (where state = 'undelivered' and since > now() - interval '7 days') from alert_message"
    )
    said = (
        "bac à sable : les messages vont dans un dossier"
        if on.spool
        else f"envoie par : {', '.join(sorted(on.channels))}"
    )
    if lost or waiting:
        text = f"{said} ; {lost} message(s) non remis depuis 7 jours, {waiting} qui attend(ent) un nouvel essai"
        return Finding(_NAME, LOOK, text, "Le responsable les voit sur son bureau (/service) et téléphone.")
    if on.operator is not None and not on.operator.imap:
        text = f"{said} ; rien n'est relu : un message non remis ne se voit pas"
        return Finding(_NAME, LOOK, text, "Régler LIAISON_MSSANTE_IMAP.")
    return Finding(_NAME, OK, said)


def _signs_in(operator: Operator) -> None:
    with Smtp(operator).signed_in():
        pass
    if operator.imap:
        parts = urlsplit(operator.imap)
        with imaplib.IMAP4_SSL(
            parts.hostname or "", parts.port or 993, ssl_context=operator.context(), timeout=TIMEOUT_SECONDS
        ) as server:
            server.login(operator.user, operator.password)
            server.select("INBOX", readonly=True)
