"""The rules of unusual access, one file each in `rules/`: what is looked for, in words, and what explains it away.

Read once and checked: a name that is not known stops the start, as a rule that is not understood may not be skipped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from liaison.auth.access import yaml_text
from liaison.auth.access.relations import Relation

TASK: Final = "task"
"""Work of a protocol that was given to whoever acted: looked for last, as it is searched in the record."""
EXPLANATIONS: Final[Mapping[str, frozenset[Relation]]] = {
    "team": frozenset({Relation.TEAM, Relation.DELEG, Relation.ATTENDING, Relation.MENTAL_HEALTH, Relation.STRUCTURE}),
    "consent": frozenset({Relation.CONSENT}),
    "encounter": frozenset({Relation.STAY}),
    "referral": frozenset({Relation.REFERRAL}),
    "tour": frozenset({Relation.TOUR}),
    "on-call": frozenset({Relation.CALL}),
    "emergency": frozenset({Relation.EMERGENCY}),  # reviewed as such
    TASK: frozenset(),
}
NAMES: Final = (
    "no-relation",
    "night",
    "burst",
    "bulk-export",
    "after-replacement",
    "first-access",
    "deceased",
    "oneself",
    "colleague",
    "same-family",
    "same-address",
    "far",
)
"""In the order of the page: first those that ask for nothing but the journal."""


class BadRule(ValueError):
    """A file of `rules/` is not understood; the text names it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """What can be tuned; `value` as long as nobody has."""

    words: str
    value: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    version: int
    sentence: str
    told: str
    explained_by: tuple[str, ...]
    notice: bool
    """Whether it stays off until the staff were told (Code du travail L.1222-4: nothing about an employee is collected by
    a means that was not first made known to them)."""
    parameters: Mapping[str, Parameter]

    @property
    def explaining(self) -> frozenset[Relation]:
        return frozenset().union(*(EXPLANATIONS[name] for name in self.explained_by))

    def values(self, chosen: Mapping[str, int]) -> dict[str, int]:
        """What is in force: what was chosen, or else the rule's own."""
        return {name: chosen.get(name, one.value) for name, one in self.parameters.items()}

    def texts(self) -> Iterator[str]:
        """What is shown of it, in French."""
        yield from (self.sentence, self.told, *(one.words for one in self.parameters.values()))


_FIELDS: Final = {"rule", "version", "sentence", "told", "explained_by", "notice", "parameters"}


def parse(text: str, name: str) -> Rule:
    """Raises BadRule."""
    tree: Any = yaml_text.load(text)
    if not isinstance(tree, dict) or set(tree) != _FIELDS or tree["rule"] != name:
        raise BadRule(
            f"{name}.yaml: it has the fields {', '.join(sorted(_FIELDS))}, and `rule` is the name of the file."
        )
    unknown = [one for one in tree["explained_by"] if one not in EXPLANATIONS]
    if unknown:
        raise BadRule(f"{name}.yaml: explained_by knows {', '.join(EXPLANATIONS)}, not {unknown[0]}.")
    try:
        parameters = {key: Parameter(**given) for key, given in tree["parameters"].items()}
    except (AttributeError, TypeError):
        raise BadRule(f"{name}.yaml: a parameter has words, value, least and most.") from None
    for key, one in parameters.items():
        if not one.least <= one.value <= one.most:
            raise BadRule(f"{name}.yaml: {key} is not between its least and its most.")
    return Rule(
        name,
        int(tree["version"]),
        str(tree["sentence"]),
        str(tree["told"]),
        tuple(tree["explained_by"]),
        bool(tree["notice"]),
        parameters,
    )


@cache
def rules() -> Mapping[str, Rule]:
    """Every rule by its name. Raises BadRule, also for a file that the list does not name."""
    folder = resources.files(__package__) / "rules"
    files = {one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")}
    if files != set(NAMES):
        raise BadRule(f"The folder of rules and their list differ: {', '.join(sorted(files ^ set(NAMES)))}.")
    return {name: parse((folder / f"{name}.yaml").read_text("utf-8"), name) for name in NAMES}
