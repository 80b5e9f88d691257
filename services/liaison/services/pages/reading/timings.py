"""How often and when, in plain words: a Timing. http://hl7.org/fhir/R4/datatypes.html#Timing"""

from typing import Any, Final

from liaison.services.pages.marking import _
from liaison.services.pages.reading import values
from liaison.services.pages.reading.concepts import Say, codes, named

Tree = dict[str, Any]


# A unit of time (UCUM): one of it, and several.
_ONE: Final = {
    "s": _("seconde"),
    "min": _("minute"),
    "h": _("heure"),
    "d": _("jour"),
    "wk": _("semaine"),
    "mo": _("mois"),
    "a": _("an"),
}
_MANY: Final = {
    "s": _("{n} secondes"),
    "min": _("{n} minutes"),
    "h": _("{n} heures"),
    "d": _("{n} jours"),
    "wk": _("{n} semaines"),
    "mo": _("{n} mois"),
    "a": _("{n} ans"),
}
_EVERY: Final = {
    "s": _("toutes les {n} secondes"),
    "min": _("toutes les {n} minutes"),
    "h": _("toutes les {n} heures"),
    "d": _("tous les {n} jours"),
    "wk": _("toutes les {n} semaines"),
    "mo": _("tous les {n} mois"),
    "a": _("tous les {n} ans"),
}
_DAYS: Final = {
    "mon": _("lundi"),
    "tue": _("mardi"),
    "wed": _("mercredi"),
    "thu": _("jeudi"),
    "fri": _("vendredi"),
    "sat": _("samedi"),
    "sun": _("dimanche"),
}
# http://hl7.org/fhir/R4/valueset-event-timing.html
_WHEN: Final = {
    "MORN": _("le matin"),
    "MORN.early": _("tôt le matin"),
    "MORN.late": _("en fin de matinée"),
    "NOON": _("à midi"),
    "AFT": _("l'après-midi"),
    "AFT.early": _("en début d'après-midi"),
    "AFT.late": _("en fin d'après-midi"),
    "EVE": _("le soir"),
    "EVE.early": _("en début de soirée"),
    "EVE.late": _("tard le soir"),
    "NIGHT": _("la nuit"),
    "PHS": _("après l'endormissement"),
    "HS": _("au coucher"),
    "WAKE": _("au réveil"),
    "C": _("au repas"),
    "CM": _("au petit-déjeuner"),
    "CD": _("au déjeuner"),
    "CV": _("au dîner"),
    "AC": _("avant le repas"),
    "ACM": _("avant le petit-déjeuner"),
    "ACD": _("avant le déjeuner"),
    "ACV": _("avant le dîner"),
    "PC": _("après le repas"),
    "PCM": _("après le petit-déjeuner"),
    "PCD": _("après le déjeuner"),
    "PCV": _("après le dîner"),
}
# http://hl7.org/fhir/R4/valueset-timing-abbreviation.html
_CODES: Final = {
    "QD": _("1 fois par jour"),
    "BID": _("2 fois par jour"),
    "TID": _("3 fois par jour"),
    "QID": _("4 fois par jour"),
    "QOD": _("un jour sur deux"),
    "AM": _("le matin"),
    "PM": _("l'après-midi"),
    "BED": _("au coucher"),
    "WK": _("1 fois par semaine"),
    "MO": _("1 fois par mois"),
    "Q1H": _("toutes les heures"),
    "Q2H": _("toutes les 2 heures"),
    "Q3H": _("toutes les 3 heures"),
    "Q4H": _("toutes les 4 heures"),
    "Q6H": _("toutes les 6 heures"),
    "Q8H": _("toutes les 8 heures"),
}


def told(timing: Any, say: Say = str) -> list[str]:
    """Its parts, in the order in which they are spoken. Where the repetition is not said, the code is."""
    if not isinstance(timing, dict):
        return []
    repeat = timing.get("repeat") or {}
    coded = next((say(_CODES[code]) for code in sorted(codes(timing.get("code"))) if code in _CODES), "")
    often = _often(repeat, say)
    found = [often or coded or named(timing.get("code"), say), *_when(repeat, say)]
    return [*filter(None, found), *bounds(timing, say)]


def bounds(timing: Any, say: Say = str) -> list[str]:
    """How long each time lasts, from when until when, how many times in all, on which days: what words of one's own may
    leave out."""
    if not isinstance(timing, dict):
        return []
    repeat = timing.get("repeat") or {}
    found = [_each(repeat, say), *_bounds(repeat, say)]
    return [*filter(None, found), *(values.day(str(one)) for one in timing.get("event", []) if one)]


def length(quantity: Tree, say: Say = str) -> str:
    """A length of time after « par » or « tous les »: 'jour', '3 jours'; '' for what is no length of time."""
    return _length(quantity.get("value", 1), str(quantity.get("code") or quantity.get("unit") or ""), say)


def _length(number: Any, unit: str, say: Say) -> str:
    if unit not in _ONE:
        return ""
    return say(_ONE[unit]) if number == 1 else say(_MANY[unit]).format(n=values.number(number))


def _often(repeat: Tree, say: Say) -> str:
    """'3 fois par jour', 'toutes les 8 heures', '2 fois tous les 3 jours'."""
    unit, period = str(repeat.get("periodUnit", "")), repeat.get("period", 1)
    count = _range(repeat.get("frequency"), repeat.get("frequencyMax"))
    times = say(_("{n} fois")).format(n=count) if count else ""
    if unit not in _ONE:
        return times
    if period == 1 and not repeat.get("periodMax"):
        return say(_("{n} fois par {unit}")).format(n=count or "1", unit=say(_ONE[unit]))
    every = say(_EVERY[unit]).format(n=_range(period, repeat.get("periodMax")))
    return every if count in ("", "1") else f"{times} {every}"


def _range(low: Any, high: Any) -> str:
    """'3', '3 – 4'."""
    return " – ".join(values.number(one) for one in (low, high) if one is not None)


def _when(repeat: Tree, say: Say) -> list[str]:
    days = ", ".join(say(_DAYS[day]) for day in repeat.get("dayOfWeek", []) if day in _DAYS)
    hours = ", ".join(str(hour)[:5].replace(":", " h ") for hour in repeat.get("timeOfDay", []) if hour)
    moments = [say(_WHEN[when]) for when in repeat.get("when", []) if when in _WHEN]
    if moments and (offset := repeat.get("offset")):
        moments[0] = f"{_length(offset, 'min', say)} {moments[0]}"
    return [days, hours, *moments]


def _each(repeat: Tree, say: Say) -> str:
    """R4: duration, « how long this thing happens for when it happens »: fifteen hours of oxygen, once a day."""
    unit = str(repeat.get("durationUnit", ""))
    low, high = ({"value": repeat.get(name), "code": unit} for name in ("duration", "durationMax"))
    lasts = between({"low": low, "high": high}, say) if "durationMax" in repeat else whole(low, say)
    return say(_("{time} à chaque fois")).format(time=lasts) if lasts else ""


def _bounds(repeat: Tree, say: Say) -> list[str]:
    duration, limits = repeat.get("boundsDuration"), repeat.get("boundsRange")
    lasts = whole(duration, say) or between(limits, say)
    total = _range(repeat.get("count"), repeat.get("countMax"))
    return [
        say(_("pendant {time}")).format(time=lasts) if lasts else "",
        values.period(repeat.get("boundsPeriod"), say),
        say(_("{n} fois en tout")).format(n=total) if total else "",
    ]


def between(limits: Any, say: Say = str) -> str:
    """'5 jours – 7 jours', and with one end alone '≥ 5 jours' or '≤ 7 jours'."""
    low, high = (whole((limits or {}).get(end), say) for end in ("low", "high"))
    return f"{low} – {high}" if low and high else f"≥ {low}" if low else f"≤ {high}" if high else ""


def whole(duration: Any, say: Say = str) -> str:
    """A length of time or an age: '5 jours', '52 ans'."""
    if not isinstance(duration, dict) or duration.get("value") is None:
        return ""
    unit = str(duration.get("code") or duration.get("unit") or "")
    if unit in _ONE and duration["value"] == 1:
        return f"1 {say(_ONE[unit])}"
    return say(_MANY[unit]).format(n=values.number(duration["value"])) if unit in _MANY else values.quantity(duration)
