"""What a classification would change: each thing in it that is not understood, each thing that it may not do, and what it makes
more or less closed than the one in force.

The law names no codes: which diagnoses are sensitive is for whoever answers for it, and is said, not refused. Refused is
what would take a record apart: rights derive from some types; a report of abuse, the review list and what a person has
masked or kept from somebody stay what they are; what is clinical does not become coordination by its type.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import yaml

from liaison.auth.access import classify, yaml_text
from liaison.auth.access.classes import PARTS, Class, bits
from liaison.auth.access.classify import Label, Rule, Rules, packaged_text, parse
from liaison.auth.access.table import BadTable
from liaison.auth.access.table_check import twice
from liaison.fhir.definitions import RESOURCE_TYPES

_CLINICAL: Final = PARTS["CLIN"] | Class.VITAL | Class.ETP
_CLOSED: Final = Class.PSY | Class.SENS | Class.PROT
_KEPT: Final = Class.MINOR | Class.NOTE3P | Class.PROT | Class.MASKED | Class.HELD | Class.PROCHES
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
        for event in yaml.parse(text, yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                return [f"un renvoi (*{event.anchor}) n'est pas lu, écrire la liste"]
        written_twice = list(twice(yaml.compose(text, yaml.SafeLoader)))
        new = parse(text)
    except yaml.YAMLError:
        return ["ce n'est pas du YAML"]
    except BadTable as error:
        return [f"classement : {error}"]
    return [*written_twice, *_against(parse(packaged_text()), new)]


def _against(packaged: Rules, new: Rules) -> Iterator[str]:
    yield from _types(packaged, new)
    kept = [rule for rule in packaged.instead if rule.classes & _FIRST]
    if list(new.instead[: len(kept)]) != kept:
        yield "instead : la liste de revue (AUD) et les signalements (PROT) viennent d'abord, tels qu'ils sont livrés"
    for rule in (*new.instead, *new.besides):
        if not rule.system and any(code == "*" for code in rule.codes):
            yield f"{_names(rule.classes)} : « * » sans système vaut pour tout, ce n'est pas une règle"
    for rule in packaged.besides:
        if rule.classes & _KEPT and rule not in new.besides:
            yield f"besides : la règle {_names(rule.classes)} livrée manque"
    for name in (Class.SENS, Class.PSY):
        if not any(rule.classes & name for rule in new.besides):
            yield f"besides : plus rien n'est {name.name}"
    yield from _labels(packaged, new)
    if not new.psychiatrists or not (new.psychiatric_codes and new.psychiatric_words):
        yield "plus aucun service de psychiatrie, ou plus aucun psychiatre, n'est reconnu"


def _types(packaged: Rules, new: Rules) -> Iterator[str]:
    if missing := packaged.fixed - new.fixed:
        yield f"fixed : {', '.join(sorted(missing))} manque, des droits en dérivent"
    for type_ in sorted(RESOURCE_TYPES):
        was, is_ = (one.types.get(type_, Class.CLIN) for one in (packaged, new))
        if type_ in packaged.fixed and is_ is not was:
            yield f"types : {type_} reste {was.name}, des droits en dérivent"
        elif was & _CLINICAL and not is_ & (_CLINICAL | _CLOSED):
            yield f"types : {type_} est du soin ({was.name}), et ne devient pas {is_.name} par son type"


def _labels(packaged: Rules, new: Rules) -> Iterator[str]:
    for system, codes in packaged.labels.items():
        for code, label in codes.items():
            if label.classes & _KEPT and new.labels.get(system, {}).get(code) != label:
                yield f"labels : {code} ({system}) reste {_names(label.classes)}"
    for system, codes in new.labels.items():
        for code, label in codes.items():
            if label.replaces and packaged.labels.get(system, {}).get(code) != label:
                yield f"labels : {code} ({system}) remplacerait la classe par {_names(label.classes)} : une étiquette ajoute"


def differences(before: str, after: str) -> list[str]:
    """In French, one line for each type, rule and code that is classified otherwise."""
    old, new = parse(before), parse(after)
    found = []
    for type_ in sorted(RESOURCE_TYPES):
        was, is_ = (one.types.get(type_, Class.CLIN) for one in (old, new))
        if was is not is_:
            found.append(f"change : {type_} était {was.name}, devient {is_.name}")
    found += _rules("instead", old.instead, new.instead, "change", "change")
    found += _rules("besides", old.besides, new.besides, "plus fermé", "moins fermé")
    found += [f"plus fermé : {one}" for one in _label_lines(new) if one not in set(_label_lines(old))]
    found += [f"moins fermé : {one}" for one in _label_lines(old) if one not in set(_label_lines(new))]
    for name, was_, is__ in (
        ("restricted", old.restricted, new.restricted),
        ("psychiatrists", old.psychiatrists, new.psychiatrists),
        ("psychiatric-services", old.psychiatric_codes, new.psychiatric_codes),
        ("psychiatric-services", frozenset(old.psychiatric_words), frozenset(new.psychiatric_words)),
    ):
        found += [f"plus fermé : {name}, {one}" for one in sorted(is__ - was_)]
        found += [f"moins fermé : {name}, {one}" for one in sorted(was_ - is__)]
    if [_key(rule) for rule in old.instead] != [_key(rule) for rule in new.instead] and not any(
        one.startswith("change : instead") for one in found
    ):
        found.append("change : instead, l'ordre des règles (la première qui convient l'emporte)")
    return found


def _rules(place: str, before: tuple[Rule, ...], after: tuple[Rule, ...], more: str, less: str) -> list[str]:
    old, new = ({(_key(rule), code) for rule in rules for code in rule.codes} for rules in (before, after))
    return [
        *(f"{more} : {place}, {_told(*one)} devient {one[0][0]}" for one in sorted(new - old)),
        *(f"{less} : {place}, {_told(*one)} n'est plus {one[0][0]}" for one in sorted(old - new)),
    ]


def _key(rule: Rule) -> tuple[str, str, str, str, str]:
    return (
        _names(rule.classes),
        rule.system,
        " ".join(sorted(rule.types)),
        " ".join(sorted(rule.elements)),
        " ".join(sorted(rule.statuses)),
    )


def _told(key: tuple[str, str, str, str, str], code: str) -> str:
    _classes, system, types, elements, statuses = key
    return f"{code} ({', '.join(filter(None, (system, types or 'tout type', elements, statuses)))})"


def _label_lines(rules: Rules) -> list[str]:
    def line(system: str, code: str, label: Label) -> str:
        return f"labels, {code} ({system}) {'remplace par' if label.replaces else 'ajoute'} {_names(label.classes)}"

    return [line(system, code, label) for system, codes in rules.labels.items() for code, label in codes.items()]


def _names(classes: Class) -> str:
    return ", ".join(one.name or "" for one in bits(classes))


def said(text: str) -> str:
    """The version and date of a classification."""
    known = classify.parse(text)
    return f"version {known.version} du {known.dated}"
