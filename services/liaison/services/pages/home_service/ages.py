"""How long something has been waiting, in words: minutes, then hours, then days."""

from collections.abc import Callable
from datetime import datetime, timedelta

Ngettext = Callable[[str, str, int], str]


def age(since: datetime, now: datetime, ngettext: Ngettext) -> str:
    """'depuis 20 minutes'. What is dated after now waits since now."""
    waited = max(now - since, timedelta())
    if waited < timedelta(hours=1):
        count = int(waited.total_seconds() // 60)
        return ngettext("depuis {count} minute", "depuis {count} minutes", count).format(count=count)
    if waited < timedelta(days=2):
        count = int(waited.total_seconds() // 3600)
        return ngettext("depuis {count} heure", "depuis {count} heures", count).format(count=count)
    return ngettext("depuis {count} jour", "depuis {count} jours", waited.days).format(count=waited.days)
