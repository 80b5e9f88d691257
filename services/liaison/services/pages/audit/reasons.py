"""Why an officer reads who somebody is: one of the reasons, and a few words. The journal keeps both."""

from collections.abc import Mapping
from typing import Final

from liaison.services.pages.audit.identity_form import REASONS
from liaison.services.pages.marking import _

MISSING: Final = _("Choisissez un motif, et dites pourquoi en quelques mots.")
_LONGEST: Final = 500


def reason_of(form: Mapping[str, str]) -> str:
    """As the journal has it; '' unless both are given."""
    reason, more = form.get("reason", ""), form.get("more", "")[:_LONGEST]
    return f"{reason}. {more}" if reason in REASONS and more else ""
