"""What no classification may open, whatever those who adopt it decide: care stays care by its codes as by its type, and what
the packaged classification makes sensitive is sensitive still.

Compared are the rules themselves, not examples: a rule is kept when rules at least as wide give at least its classes. What
cannot be seen to be kept is refused. A wider rule, a further one and a sensitive result are free. Limit: a resource has
several codes, so an added `instead` rule is held against every packaged rule of its types, whatever the codes are.
"""

from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import product
from operator import or_
from typing import Final, TypeAlias

from liaison.auth.access.class_rules import Label, Rule, Rules
from liaison.auth.access.classes import PARTS, Class, bits
from liaison.auth.access.classify import CONFIDENTIALITY
from liaison.fhir.definitions import RESOURCE_TYPES

_CLOSED: Final = Class.PSY | Class.SENS | Class.PROT
_CARE: Final = Class.CLIN | Class.MEDS | Class.ALLERGY | Class.LAB | Class.SYNTH | _CLOSED
"""What any care may become: nobody else than who cares reads these. STAY, VITAL, ETP and CLINSOC have readers of their own."""
_GUARDED: Final = PARTS["CLIN"] | Class.VITAL | Class.ETP | PARTS["SOC"] | _CLOSED
_BESIDE: Final = Class.MINOR | Class.NOTE3P | Class.PROT

Problem: TypeAlias = tuple[str, int | None, str]
"""The section of the file, the place of the rule in it (None: of the section), and the words."""


def problems(packaged: Rules, new: Rules) -> Iterator[Problem]:
    """In French, what it would take away."""
    for type_ in sorted(new.fixed - packaged.fixed):
        yield "fixed", None, f"{type_} n'aurait plus ni code ni étiquette, seuls ceux qui sont livrés sont fixes"
    yield from _instead(packaged, new)
    yield from _besides(packaged, new)
    yield from _words(packaged, new)
    yield from _labels(packaged, new)
    yield from _restricted(packaged, new)
    yield from _psychiatry(packaged, new)


def may_become(was: Class, is_: Class) -> bool:
    """Whether what is of the class `was` may be of the class `is_` instead, by its type or a code."""
    return not was & _GUARDED or bool(is_ & _CARE) or is_ & was == was


def names(classes: Class) -> str:
    return ", ".join(one.name or "" for one in bits(classes))


def kept(rule: Rule, others: Iterable[Rule]) -> bool:
    """Whether together the others give at least the classes of the rule to everything that it holds for."""
    there = list(others)
    return all(not _lost(rule, type_, element, code, there) for type_, element, code in _parts(rule))


def _parts(rule: Rule) -> Iterator[tuple[str, str, str]]:
    yield from product(sorted(rule.types) or [""], sorted(rule.elements), rule.codes)


def _lost(rule: Rule, type_: str, element: str, code: str, others: Iterable[Rule]) -> Class:
    left = rule.classes
    for other in others:
        if _covers(other, rule, type_, element, code):
            left &= ~other.classes
    return left


def _covers(wide: Rule, rule: Rule, type_: str, element: str, code: str) -> bool:
    return (
        (not wide.types or type_ in wide.types)
        and element in wide.elements
        and wide.system in ("", rule.system)
        and (not wide.statuses or bool(rule.statuses and rule.statuses <= wide.statuses))
        and any(_wider(element, one, code) for one in wide.codes)
    )


def _wider(element: str, wide: str, code: str) -> bool:
    if wide == code:
        return True
    if element == "questionnaire":  # a part of the canonical, by a pattern with a slash (classify)
        return wide.startswith("/") and wide.removesuffix("*") in code.removesuffix("*")
    return wide.endswith("*") and code.startswith(wide[:-1])


def _instead(packaged: Rules, new: Rules) -> Iterator[Problem]:
    for place, rule in enumerate(new.instead):
        known = next((n for n, one in enumerate(packaged.instead) if _within(rule, one)), None)
        before = [one for one in packaged.instead[:known] if not _held(one, new.instead[:place])]
        taken = {
            (type_, was)
            for type_ in (rule.types or RESOURCE_TYPES) - packaged.fixed
            for was in _had(packaged, type_, before, by_type=known is None)
            if not may_become(was, rule.classes)
        }
        if taken:
            types = ", ".join(sorted({type_ for type_, _ in taken})[:5])
            was = names(reduce(or_, (one for _, one in taken)))
            told = ", ".join(rule.codes[:3])
            yield "instead", place, f"{types} ({was}), codes {told} : ne devient pas {names(rule.classes)} par un code"
    for rule in packaged.instead:
        if not rule.classes & PARTS["COORD"] and not _held(rule, new.instead):
            yield "instead", None, f"la règle {names(rule.classes)} livrée ({', '.join(rule.codes[:3])}) manque"


def _had(packaged: Rules, type_: str, rules: Iterable[Rule], *, by_type: bool) -> Iterator[Class]:
    """What something of the type may be by the packaged classification, as far as these rules and its type go."""
    if by_type:
        yield packaged.types.get(type_, Class.CLIN)
    yield from (one.classes for one in rules if not one.types or type_ in one.types)


def _within(rule: Rule, known: Rule) -> bool:
    return rule.classes == known.classes and kept(rule, [known])


def _held(rule: Rule, others: Iterable[Rule]) -> bool:
    """Whether all that the packaged `instead` rule holds for is taken by others, that open nothing of it."""
    there = [one for one in others if may_become(rule.classes, one.classes)]
    return all(any(_covers(one, rule, *part) for one in there) for part in _parts(rule))


def _besides(packaged: Rules, new: Rules) -> Iterator[Problem]:
    for rule in packaged.besides:
        gone = {code for type_, element, code in _parts(rule) if _lost(rule, type_, element, code, new.besides)}
        if gone:
            told = f"{', '.join(sorted(gone))} ({rule.system or 'tout système'})"
            yield "besides", None, f"{told} reste {names(rule.classes)} : on peut ajouter, pas enlever"
    for place, rule in enumerate(new.besides):
        if rule.classes & _BESIDE and not rule.classes & ~_BESIDE & _CLOSED:
            yield (
                "besides",
                place,
                f"{names(rule.classes)} sans SENS : un élément dit restreint (R, V) ne serait plus SENS",
            )


def _words(packaged: Rules, new: Rules) -> Iterator[Problem]:
    for one in packaged.words:
        gone = [
            word
            for word in one.words
            if not any(
                word in new_.words
                and new_.classes & one.classes
                and new_.prose >= one.prose
                and set(new_.unless) <= set(one.unless)
                for new_ in new.words
            )
        ]
        if gone:
            yield "words", None, f"{', '.join(gone[:5])} reste {names(one.classes)} : on peut ajouter, pas enlever"
    for place, one in enumerate(new.words):
        if one.classes & ~_CLOSED & ~_BESIDE:
            yield "words", place, f"un mot ferme, il ne fait pas {names(one.classes)}"
        elif one.classes & _BESIDE and not one.classes & ~_BESIDE & _CLOSED:
            yield (
                "words",
                place,
                f"{names(one.classes)} sans SENS : un élément dit restreint (R, V) ne serait plus SENS",
            )


def _labels(packaged: Rules, new: Rules) -> Iterator[Problem]:
    for system, codes in packaged.labels.items():
        for code, label in codes.items():
            found = list(_found(new, system, code))
            if not found or not all(
                one is not None and one.replaces == label.replaces and one.classes & label.classes == label.classes
                for one in found
            ):
                yield "labels", None, f"{code} ({system}) reste {names(label.classes)}"


def _found(new: Rules, system: str, code: str) -> Iterator[Label | None]:
    """Each label that one of this system, which may be a beginning of systems, is read as: the first that fits is read."""
    for known, codes in new.labels.items():
        wide = known.endswith("*") and system.removesuffix("*").startswith(known[:-1])
        if known == system or wide:
            yield codes.get(code)
            return
        if system.endswith("*") and known.startswith(system[:-1]):
            yield codes.get(code)
    yield None


def _restricted(packaged: Rules, new: Rules) -> Iterator[Problem]:
    for code in sorted(packaged.restricted):
        label = new.label(CONFIDENTIALITY, code)
        if not label.classes & Class.SENS if label is not None else code not in new.restricted:
            yield "restricted", None, f"{code} reste restreint (SENS)"


def _psychiatry(packaged: Rules, new: Rules) -> Iterator[Problem]:
    for one in sorted(packaged.psychiatrists - new.psychiatrists):
        yield "psychiatrists", None, f"{one} manque : un psychiatre ne serait plus reconnu"
    for one in sorted(packaged.psychiatric_codes - new.psychiatric_codes):
        yield "psychiatric-services", None, f"{one} manque : un service de psychiatrie ne serait plus reconnu"
    for one in packaged.psychiatric_words:
        if not any(word in one for word in new.psychiatric_words):
            yield "psychiatric-services", None, f"« {one} » manque : un service de psychiatrie ne serait plus reconnu"
