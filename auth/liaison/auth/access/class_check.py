"""What a classification would change: each thing in it that is not understood, each thing that it may not do, and what it makes
more or less closed than the one in force.

The law names no codes: which diagnoses are sensitive beside the packaged ones is for whoever answers for it. Refused is
what would take a record apart: rights derive from some types; a report of abuse, the review list and what a person has
masked or kept from somebody stay what they are; and what opens care, or what is sensitive as packaged (class_bounds).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

import yaml

from liaison.auth.access import class_bounds, class_text, yaml_text
from liaison.auth.access.class_bounds import Problem, kept, may_become, names
from liaison.auth.access.class_readers import opens
from liaison.auth.access.class_rules import Label, Rule, Rules
from liaison.auth.access.class_text import packaged_text, parse
from liaison.auth.access.classes import Class
from liaison.auth.access.table import BadTable
from liaison.auth.access.table_check import twice
from liaison.fhir.definitions import RESOURCE_TYPES

_FIRST: Final = Class.AUD | Class.PROT


def is_one(text: str) -> bool:
    """Whether this is a classification rather than a table of rules. What is neither is no classification."""
    try:
        data = yaml_text.load(text)
    except yaml.YAMLError:
        return False
    return isinstance(data, Mapping) and "instead" in data and "rows" not in data


def refusals(text: str) -> list[str]:
    """In French, why the classification cannot come into force; empty when it can."""
    try:
        for event in yaml.parse(text, yaml_text.LOADER):
            if isinstance(event, yaml.AliasEvent):
                return [f"un renvoi (*{event.anchor}) n'est pas lu, écrire la liste"]
        root = yaml.compose(text, yaml_text.LOADER)
        written_twice = list(twice(root))
        new = parse(text)
    except yaml.YAMLError:
        return ["ce n'est pas du YAML"]
    except BadTable as error:
        return [f"classement : {error}"]
    found = (
        f"ligne {_line(root, section, place)}, {section} : {said}"
        for section, place, said in _against(parse(packaged_text()), new)
    )
    return [*written_twice, *dict.fromkeys(found)]


def _line(root: Any, section: str, place: int | None) -> int:
    """Where the rule stands in the file; failing that, its section."""
    for key, value in root.value:
        if key.value == section:
            at = key if place is None else value.value[place]
            return int(at.start_mark.line) + 1
    return 1


def _against(packaged: Rules, new: Rules) -> Iterator[Problem]:
    yield from _types(packaged, new)
    first = [rule for rule in packaged.instead if rule.classes & _FIRST]
    if list(new.instead[: len(first)]) != first:
        yield (
            "instead",
            None,
            "la liste de revue (AUD) et les signalements (PROT) viennent d'abord, tels qu'ils sont livrés",
        )
    for section, rules in (("instead", new.instead), ("besides", new.besides)):
        for place, rule in enumerate(rules):
            if not rule.system and any(code == "*" for code in rule.codes):
                yield (
                    section,
                    place,
                    f"{names(rule.classes)} : « * » sans système vaut pour tout, ce n'est pas une règle",
                )
    yield from class_bounds.problems(packaged, new)
    for system, codes in new.labels.items():
        for code, label in codes.items():
            if label.replaces and packaged.labels.get(system, {}).get(code) != label:
                told = f"{code} ({system}) remplacerait la classe par {names(label.classes)}"
                yield "labels", None, f"{told} : une étiquette ajoute"


def _types(packaged: Rules, new: Rules) -> Iterator[Problem]:
    if missing := packaged.fixed - new.fixed:
        yield "fixed", None, f"{', '.join(sorted(missing))} manque, des droits en dérivent"
    for type_ in sorted(RESOURCE_TYPES):
        was, is_ = (one.types.get(type_, Class.CLIN) for one in (packaged, new))
        if type_ in packaged.fixed and is_ is not was:
            yield "types", None, f"{type_} reste {was.name}, des droits en dérivent"
        elif not may_become(was, is_):
            yield "types", None, f"{type_} est du soin ({was.name}), et ne devient pas {is_.name} par son type"


class Change(NamedTuple):
    said: str
    opens: bool = False


def differences(before: str, after: str) -> list[str]:
    """In French, one line for each type, rule and code that is classified otherwise."""
    return [one.said for one in changes(before, after)]


def changes(before: str, after: str) -> list[Change]:
    """Each difference, and whether somebody may read by it what they did not, by the packaged table; in doubt it opens."""
    old, new = parse(before), parse(after)
    found = []
    for type_ in sorted(RESOURCE_TYPES):
        was, is_ = (one.types.get(type_, Class.CLIN) for one in (old, new))
        if was is not is_:
            found.append(Change(f"change : {type_} était {was.name}, devient {is_.name}", opens(was, is_)))
    found += _instead(old, new)
    found += _besides(old, new)
    before_, after_ = _label_lines(old), _label_lines(new)
    found += [Change(f"plus fermé : {one}") for one in after_ if one not in set(before_)]
    found += [Change(f"moins fermé : {one}", True) for one in before_ if one not in set(after_)]
    for name, was_, is__ in (
        ("restricted", old.restricted, new.restricted),
        ("psychiatrists", old.psychiatrists, new.psychiatrists),
        ("psychiatric-services", old.psychiatric_codes, new.psychiatric_codes),
        ("psychiatric-services", frozenset(old.psychiatric_words), frozenset(new.psychiatric_words)),
        ("words", _spoken(old), _spoken(new)),
    ):
        found += [Change(f"plus fermé : {name}, {one}") for one in sorted(is__ - was_)]
        found += [Change(f"moins fermé : {name}, {one}", True) for one in sorted(was_ - is__)]
    there, here = _each(old.instead), _each(new.instead)
    orders = [[one for one in rules if one in there and one in here] for rules in (there, here)]
    if orders[0] != orders[1]:
        found.append(Change("change : instead, l'ordre des règles (la première qui convient l'emporte)", True))
    return found


def _spoken(rules: Rules) -> frozenset[str]:
    return frozenset(
        f"« {word} » devient {names(one.classes)}{'' if one.prose else ', à la place d’un code seulement'}"
        f"{', sauf avec ' * bool(one.unless)}{', '.join(one.unless)}"
        for one in rules.words
        for word in one.words
    )


def _instead(old: Rules, new: Rules) -> Iterator[Change]:
    there, here = _each(old.instead), _each(new.instead)
    for one in sorted(here.keys() - there.keys()):
        wider = any(opens(was, here[one].classes) for was in _others(old, here[one]))
        yield Change(f"change : instead, {_told(*one)} devient {one[0][0]}", wider)
    for one in sorted(there.keys() - here.keys()):
        wider = any(opens(there[one].classes, is_) for is_ in _others(new, there[one]))
        yield Change(f"change : instead, {_told(*one)} n'est plus {one[0][0]}", wider)


def _others(rules: Rules, rule: Rule) -> set[Class]:
    """What something of the types of the rule is without it: by its type, or another rule for it."""
    types = (rule.types or RESOURCE_TYPES) - rules.fixed
    by_rule = {
        one.classes for one in rules.instead if not one.classes & _FIRST and (not one.types or one.types & types)
    }
    return by_rule | {rules.types.get(type_, Class.CLIN) for type_ in types}


def _besides(old: Rules, new: Rules) -> Iterator[Change]:
    there, here = _each(old.besides), _each(new.besides)
    for one in sorted(here.keys() - there.keys()):
        yield Change(f"plus fermé : besides, {_told(*one)} devient {one[0][0]}")
    for one in sorted(there.keys() - here.keys()):
        if kept(there[one], new.besides):
            yield Change(f"change : besides, {_told(*one)} est {one[0][0]} par une autre règle")
        else:
            yield Change(f"moins fermé : besides, {_told(*one)} n'est plus {one[0][0]}", True)


_Key: TypeAlias = tuple[str, str, str, str, str]


def _each(rules: tuple[Rule, ...]) -> dict[tuple[_Key, str], Rule]:
    """Each code of each rule, as a rule of its own, where it is first."""
    found: dict[tuple[_Key, str], Rule] = {}
    for rule in rules:
        for code in sorted(rule.codes):
            found.setdefault((_key(rule), code), replace(rule, codes=(code,)))
    return found


def _key(rule: Rule) -> _Key:
    return (
        names(rule.classes),
        rule.system,
        " ".join(sorted(rule.types)),
        " ".join(sorted(rule.elements)),
        " ".join(sorted(rule.statuses)),
    )


def _told(key: _Key, code: str) -> str:
    _classes, system, types, elements, statuses = key
    return f"{code} ({', '.join(filter(None, (system, types or 'tout type', elements, statuses)))})"


def _label_lines(rules: Rules) -> list[str]:
    def line(system: str, code: str, label: Label) -> str:
        return f"labels, {code} ({system}) {'remplace par' if label.replaces else 'ajoute'} {names(label.classes)}"

    return [line(system, code, label) for system, codes in rules.labels.items() for code, label in codes.items()]


def said(text: str) -> str:
    """The version and date of a classification."""
    known = class_text.parse(text)
    return f"version {known.version} du {known.dated}"
