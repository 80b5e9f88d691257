"""The retention rules as the code reads them (`rules.yaml`), and the days that they give for one record.

Source: CSP R.1112-7 (twenty years; twenty-eighth birthday; ten years after a death; suspended by a dispute).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources
from typing import Any, Final, NamedTuple

from liaison.auth.access import yaml_text

Period = tuple[date, date]
"""From the first day until the day after the last."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of structure's duty. `source` is the text of law, or « défaut »."""

    kind: str
    text: str
    source: str
    active_years: int
    kept_years: int
    until_age: int
    death_within_years: int
    after_death_years: int


@dataclass(frozen=True, slots=True)
class Rules:
    version: str
    dated: date
    rules: tuple[Rule, ...]


class Facts(NamedTuple):
    """What a person's record says. `suspended`: the periods in which a dispute was pending."""

    last_act: date
    born: date | None = None
    died: date | None = None
    suspended: tuple[Period, ...] = ()


class Terms(NamedTuple):
    """Each day is the last one of its term. `because` is 'last-act', 'birthday' or 'death'; `kind` the rule's."""

    active_until: date
    kept_until: date
    because: str
    kind: str


class BadRules(ValueError):
    """The rules cannot be used. The text says which, and what is wrong."""


@cache
def in_force() -> Rules:
    """The rules of this version. Raises BadRules."""
    return loaded((resources.files(__package__) / "rules.yaml").read_text("utf-8"))


_YEARS: Final = ("active_years", "kept_years", "until_age", "death_within_years", "after_death_years")
_TEXTS: Final = ("kind", "text", "source")


def loaded(text: str) -> Rules:
    """Raises BadRules for a rule that is not whole: a term that is not understood may not be taken for none."""
    told = yaml_text.load(text)
    if not isinstance(told, dict) or not isinstance(told.get("date"), date) or not told.get("version"):
        raise BadRules("The retention rules need a version and a date.")
    rules = tuple(_rule(one) for one in told.get("rules") or ())
    if not rules or len({rule.kind for rule in rules}) != len(rules):
        raise BadRules("The retention rules need at least one rule, and one of each kind.")
    return Rules(str(told["version"]), told["date"], rules)


def _rule(told: Any) -> Rule:
    if not isinstance(told, dict) or set(told) != {*_TEXTS, *_YEARS}:
        raise BadRules(f"A retention rule needs exactly {', '.join((*_TEXTS, *_YEARS))}.")
    kind = told["kind"]
    if not all(isinstance(told[name], str) and told[name] for name in _TEXTS):
        raise BadRules(f"Retention rule {kind}: {', '.join(_TEXTS)} are texts.")
    if not all(type(told[name]) is int and told[name] >= 0 for name in _YEARS):
        raise BadRules(f"Retention rule {kind}: {', '.join(_YEARS)} are whole years.")
    if told["active_years"] > told["kept_years"]:
        raise BadRules(f"Retention rule {kind}: it is longer in use than it is kept.")
    return Rule(**told)


def terms(facts: Facts, rules: Sequence[Rule]) -> Terms:
    """The latest days that any of the rules gives.

    Who has no known birth date is taken to be born on the day of the last act: no birthday can be later. A death that is
    said to lie before the last act counts from the last act.
    """
    found = [_terms(facts, rule) for rule in rules]
    longest = max(found, key=lambda one: one.kept_until)
    return longest._replace(active_until=max(one.active_until for one in found))


def _terms(facts: Facts, rule: Rule) -> Terms:
    last = facts.last_act
    active = years_after(last, rule.active_years)
    died = max(facts.died, last) if facts.died else None
    if died is not None and died < years_after(last, rule.death_within_years):
        kept, because = years_after(died, rule.after_death_years), "death"
    else:
        kept, because = years_after(last, rule.kept_years), "last-act"
        birthday = years_after(facts.born or last, rule.until_age)
        if birthday > kept:
            kept, because = birthday, "birthday"
    kept = _suspended(kept, facts.suspended, last)
    return Terms(min(active, kept), kept, because, rule.kind)


def years_after(day: date, years: int) -> date:
    """The same day so many years later; for a 29 February without one, the 1 March."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def _suspended(end: date, periods: Sequence[Period], since: date) -> date:
    """The term's end, later by every day on which it did not run. Days on which several disputes were pending count once."""
    counted = since
    for begin, until in sorted(periods):
        begin = max(begin, counted)
        if begin <= end and until > begin:
            end += timedelta(days=(until - begin).days)
            counted = until
    return end
