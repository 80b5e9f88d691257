"""What a granular scope is limited to, in words: the part after '?' of `user/Observation.rs?code=http://loinc.org|29463-7`.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters

A code is told by the words that the pages know it by, or as a code of its system: a limit that is not understood is still
said, since what is agreed to is narrower by it.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final
from urllib.parse import unquote_plus

from liaison.auth.smart.grammar import Scope
from liaison.services.pages.calendar_words import day_said
from liaison.services.pages.marking import Gettext, _
from liaison.services.pages.reading import measures
from liaison.services.pages.reading.concepts import SYSTEMS
from liaison.services.pages.reading.encounters import SETTINGS

_TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
# http://hl7.org/fhir/R4/codesystem-observation-category.html and codesystem-condition-category.html
_CATEGORIES: Final = {
    "vital-signs": _("les constantes"),
    "laboratory": _("les résultats de laboratoire"),
    "imaging": _("les résultats d’imagerie"),
    "procedure": _("ce qui est mesuré pendant un acte"),
    "survey": _("les questionnaires"),
    "exam": _("ce qui est vu à l’examen"),
    "therapy": _("ce qui est noté pendant un traitement"),
    "activity": _("l’activité physique"),
    "social-history": _("les habitudes de vie"),
    "problem-list-item": _("les problèmes suivis"),
    "encounter-diagnosis": _("les diagnostics d’une rencontre"),
}
_CATEGORY_SYSTEMS: Final = frozenset({"", f"{_TERMINOLOGY}/observation-category", f"{_TERMINOLOGY}/condition-category"})
_DATED: Final = frozenset(
    {"date", "_lastUpdated", "authored", "authored-on", "period", "recorded-date", "onset-date", "sent"}
)
_DAY: Final = re.compile(r"(ge|gt|le|lt|sa|eb|eq)?(\d{4}-\d{2}-\d{2})")
_WHEN: Final = {
    "ge": _("à partir du {day}"),
    "gt": _("après le {day}"),
    "sa": _("après le {day}"),
    "le": _("jusqu’au {day}"),
    "lt": _("avant le {day}"),
    "eb": _("avant le {day}"),
    "eq": _("le {day}"),
}
_PARAMETERS: Final = {
    "category": _("catégorie"),
    "class": _("lieu de prise en charge"),
    "clinical-status": _("état"),
    "code": _("type"),
    "date": _("date"),
    "patient": _("personne"),
    "performer": _("auteur"),
    "status": _("état"),
    "subject": _("personne"),
    "type": _("type"),
    "_id": _("élément"),
    "_lastUpdated": _("date d’écriture"),
    "_security": _("niveau de protection"),
}


def told(scope: Scope, gettext: Gettext, language: str) -> list[str]:
    """A part of a sentence for each limit: 'seulement le poids'."""
    return [_limit(scope.type_, name, unquote_plus(value), gettext, language) for name, value in sorted(scope.criteria)]


def _limit(type_: str, name: str, value: str, gettext: Gettext, language: str) -> str:
    words = [_value(type_, name, one, gettext, language) for one in value.split(",")]
    if all(words):
        return gettext(_("seulement {what}")).format(what=gettext(_(" ou ")).join(words))
    if name == "code" and type_ == "Observation" and "," not in value:
        return gettext(_("un seul type de mesure : {code}")).format(code=_code(value, gettext))
    named = gettext(_PARAMETERS[name]) if name in _PARAMETERS else name
    codes = gettext(_(" ou ")).join(_code(one, gettext) for one in value.split(","))
    return gettext(_("seulement : {parameter}, {value}")).format(parameter=named, value=codes)


def _value(type_: str, name: str, value: str, gettext: Gettext, language: str) -> str:
    """In words of ours; '' where there are none."""
    system, _bar, code = value.rpartition("|")
    if name == "category" and code in _CATEGORIES and system in _CATEGORY_SYSTEMS:
        return gettext(_CATEGORIES[code])
    if name == "code" and type_ == "Observation" and code in measures.NAMES and system in ("", measures.LOINC):
        return gettext(_("« {name} »")).format(name=gettext(measures.NAMES[code]))
    if name == "class" and type_ == "Encounter" and code in SETTINGS:
        return gettext(_("« {name} »")).format(name=gettext(SETTINGS[code]))
    if name in _DATED and (found := _DAY.fullmatch(value)):
        return _when(found[1] or "eq", found[2], gettext, language)
    return ""


def _when(prefix: str, day: str, gettext: Gettext, language: str) -> str:
    try:
        return gettext(_WHEN[prefix]).format(day=day_said(date.fromisoformat(day), "d MMM y", language))
    except ValueError:
        return ""


def _code(value: str, gettext: Gettext, systems: Mapping[str, str] = SYSTEMS) -> str:
    """'code 29463-7 (LOINC)'; what is no code, as it stands."""
    system, bar, code = value.rpartition("|")
    if not bar:
        return value
    if not code:
        return gettext(_("tout code de {system}")).format(system=systems.get(system, system))
    if not system:
        return gettext(_("code {code}")).format(code=code)
    return gettext(_("code {code} ({system})")).format(code=code, system=systems.get(system, system))
