"""What a page says where too many questions about identities were asked in an hour."""

from collections.abc import Callable

from liaison.services.pages.record import Refused


def _(text: str) -> str:
    """Marks a string for the catalogue; it is translated when it is shown."""
    return text


def too_many(gettext: Callable[[str], str], refused: Refused) -> str:
    words = _("Trop de questions en une heure. Vous pourrez recommencer dans {minutes} min.")
    return gettext(words).replace("{minutes}", str(refused.minutes))
