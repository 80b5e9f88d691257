"""What a page says where too many questions about identities were asked in an hour."""

from collections.abc import Callable

from starlette.responses import Response

from liaison.services.pages.marking import _
from liaison.services.pages.record import Refused


def too_many(gettext: Callable[[str], str], refused: Refused) -> str:
    words = _("Trop de questions en une heure. Vous pourrez recommencer dans {minutes} min.")
    return gettext(words).replace("{minutes}", str(refused.minutes))


def until_then(response: Response, refused: Refused) -> Response:
    """With the Retry-After of what the page says (RFC 6585 §4), where it says that."""
    if refused.answered == 429:
        response.headers["retry-after"] = str(refused.seconds)
    return response
