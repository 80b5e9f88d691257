"""What a message says. The notice has one wording for everybody, made of nothing that is anybody's; only a message to a person's own
mailbox of MSSanté has the alert in it, and even there no subject or file name says what about, or of whom."""

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from liaison.protocols.alerts import level_of
from liaison.services.pages.clock import PARIS
from liaison.services.pages.reading.identity import identity
from liaison.services.pages.sheets.printing import Part, one_page, pdf

Tree = dict[str, Any]

SUBJECT: Final = "Un message vous attend"
FILE: Final = "message.pdf"
APPOINTMENT: Final = "Rendez-vous"
_NOTICE: Final = "Un message vous attend sur Liaison. Pour le lire : {url}"
_WITHIN: Final = {"RED": "Urgent", "ORANGE": "Aujourd'hui", "YELLOW": "Sous trois jours"}
_GUARD: Final = "Le soir, la nuit et le dimanche, le médecin de garde se joint par le 15 ou le 116 117."
_REST: Final = "La suite est dans le dossier."


def notice(url: str) -> str:
    """The whole text of an ordinary e-mail or SMS."""
    return _NOTICE.format(url=url)


def convocation(start: datetime) -> str:
    """To the person, by ordinary e-mail. `start` on a clock of Paris."""
    return (
        f"Vous avez un rendez-vous le {start:%d/%m/%Y} à {start:%H h %M}. Le lieu est celui qui vous a été indiqué."
        " Si vous ne pouvez pas venir, prévenez dès que possible la personne qui vous l'a donné."
    )


def called_off(start: datetime) -> str:
    """The same, where it will not be held."""
    return (
        f"Votre rendez-vous du {start:%d/%m/%Y} à {start:%H h %M} n'aura pas lieu."
        " La personne qui vous l'a donné vous en proposera un autre."
    )


def lines(task: Tree, patient: Tree, url: str) -> list[Part]:
    """The alert on paper."""
    raised = _said(task.get("authoredOn", ""))
    due = _said(task.get("restriction", {}).get("period", {}).get("end", ""))
    by = (task.get("requester") or {}).get("display", "")
    told = [Part("point", line) for line in str(task.get("description", "")).split("\n") if line.strip()]
    return [
        Part("title", "Alerte"),
        Part("text", identity(patient).full + _born(patient)),
        Part(
            "text", " · ".join(filter(None, (_WITHIN.get(level_of(task), ""), f"à voir avant le {due}" if due else "")))
        ),
        Part("heading", "Ce qui est signalé"),
        Part("text", " · ".join(filter(None, (f"Le {raised}" if raised else "", by)))),
        *told,
        Part("heading", "Répondre"),
        Part("text", f"Ouvrez le dossier et touchez « J'ai vu » : {url}"),
        Part("text", _GUARD),
    ]


def plain(url: str, sender: str, to: str, name: str, at: datetime) -> EmailMessage:
    """The notice as an e-mail."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = sender, to, SUBJECT
    made["Date"], made["Message-ID"] = format_datetime(at), message_id(name, sender)
    made["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5
    made.set_content(notice(url))
    return made


def clinical(task: Tree, patient: Tree, url: str, sender: str, to: str, name: str, at: datetime) -> EmailMessage:
    """The alert, for a person's own mailbox of MSSanté alone: in words, and on one page to print."""
    parts = one_page(lines(task, patient, url), _REST)
    made = plain(url, sender, to, name, at)
    made["Disposition-Notification-To"] = sender  # RFC 8098 §2.1
    made.set_content("\n\n".join(part.text for part in parts))
    made.add_attachment(pdf(parts, SUBJECT, "fr"), maintype="application", subtype="pdf", filename=FILE)
    return made


def message_id(name: str, sender: str) -> str:
    return f"<{name}@{sender.rpartition('@')[2]}>"


def _born(patient: Tree) -> str:
    born = str(patient.get("birthDate", ""))
    return f", né(e) le {'/'.join(reversed(born.split('-')))}" if born else ""


def _said(moment: str) -> str:
    try:
        return f"{datetime.fromisoformat(moment).astimezone(PARIS):%d/%m/%Y à %H h %M}"
    except ValueError:
        return ""
