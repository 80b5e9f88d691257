"""An allergy in a line: to what, how grave, what happens. http://hl7.org/fhir/R4/allergyintolerance.html"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import none_known, values
from liaison.services.pages.reading.concepts import Say, label, named
from liaison.services.pages.reading.punctuation import colon

Tree = dict[str, Any]


_GRAVE: Final = _("grave")
UNNAMED: Final = _("substance non précisée")


def told(allergy: Tree, say: Say = str) -> str:
    """'Pénicilline, risque élevé : urticaire, choc (grave)'."""
    grave = [say(_("risque élevé"))] if is_high(allergy) else []
    happens = [words for one in allergy.get("reaction", []) for words in _manifestations(one, say)]
    last = values.day(str(allergy.get("lastOccurrence", "")))
    dated = [say(_("dernière fois : {day}")).format(day=last)] if last else []
    named_ = ", ".join([substance(allergy, say), *grave, *dated])
    return colon(say, named_, ", ".join(dict.fromkeys(happens)))


def substance(allergy: Tree, say: Say = str) -> str:
    """What the person is allergic to: the allergy's own words, those of its reactions, or a code; never ''."""
    code = allergy.get("code")
    reactions = [one.get("substance") for one in allergy.get("reaction", [])]
    spoken = none_known.told(code, say) or label(code) or ", ".join(dict.fromkeys(filter(None, map(label, reactions))))
    return spoken or next((words for one in (code, *reactions) if (words := named(one, say))), "") or say(UNNAMED)


def is_high(allergy: Tree) -> bool:
    return allergy.get("criticality") == "high"


def none(allergy: Tree) -> bool:
    """Whether it says that none is known."""
    return none_known.is_said(allergy.get("code"))


def shown(allergies: list[Tree]) -> list[Tree]:
    """Without the statement that none is known where one is; what says so of a kind alone, of drugs, stays."""
    known = [one for one in allergies if not none(one)]
    return [one for one in allergies if not (known and none_known.says_all(one.get("code")))]


def gravest_first(allergies: list[Tree]) -> list[Tree]:
    return sorted(allergies, key=lambda one: (none(one), not is_high(one)))


def _manifestations(reaction: Tree, say: Say) -> list[str]:
    words = [words for one in reaction.get("manifestation", []) if (words := named(one, say))]
    words = list(filter(None, [*words, str(reaction.get("description") or "")]))
    return [f"{one} ({say(_GRAVE)})" for one in words] if reaction.get("severity") == "severe" else words
