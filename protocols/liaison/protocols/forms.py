"""The forms of a home visit: which there are, what each has to ask, and in which order it is shown.

Three come with the library; a home service publishes its own versions of each (its address names the model and the service). Which
one is filled in says the tour line (Appointment.serviceType), or else the plan of the person (CarePlan.activity), or else it is the
daily one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from liaison.protocols import codes
from liaison.protocols.answers import Item, items
from liaison.protocols.library.library import Library

Tree = dict[str, Any]

FORM: Final = f"{codes.LOCAL}/Questionnaire/home-visit"
"""The daily one."""
READY: Final[Mapping[str, str]] = MappingProxyType(
    {"visit": FORM, "visit-short": f"{FORM}-short", "visit-breath": f"{FORM}-breath"}
)
"""The models, by the code of HOME_CARE that a tour line has."""
FIXED: Final = ("start", "end", "presence", "tasks", "note", "alert", "called")
"""What stands at its own place on every screen, whatever the order of the form."""
NEEDED: Final = ("start", "presence", "note", "alert", "called")
"""What the telephone cannot do without: when, whether somebody is there, the words, and the alert on every screen."""
ON_SCREEN: Final = 5
"""Questions that are seen at once; the others are one touch away (« Autre chose à dire »)."""
_FIRST: Final = ("general", "meal", "drink", "fall", "breath")
"""What the first version of the daily form shows at once: it was written in another order than it is shown in."""


@dataclass(frozen=True, slots=True)
class Arranged:
    """The questions as a screen has them: each by its linkId, those that are seen at once, and the others."""

    questions: Mapping[str, Item]
    state: tuple[Item, ...]
    others: tuple[Item, ...]

    @property
    def in_order(self) -> tuple[Item, ...]:
        """As they are met from the top to the bottom, groups as one."""
        first = [self.questions[link] for link in ("start", "end", "presence", "tasks") if link in self.questions]
        last = [self.questions[link] for link in ("note", "alert", "called") if link in self.questions]
        return (*first, *self.state, *self.others, *last)


def arranged(form: Tree) -> Arranged:
    """In the order of the form."""
    told = [item for item in map(Item, as_shown(form)["item"]) if item.link not in FIXED]
    return Arranged({item.link: item for item in items(form)}, (*told[:ON_SCREEN],), (*told[ON_SCREEN:],))


def as_shown(form: Tree) -> Tree:
    """With its questions in the order in which they are shown."""
    if canonical(form) != f"{FORM}|1.0.0":
        return form
    first = [one for link in _FIRST for one in form["item"] if one["linkId"] == link]
    fixed = [one for one in form["item"] if one["linkId"] in FIXED]
    others = [one for one in form["item"] if one["linkId"] not in (*FIXED, *_FIRST)]
    at = next(n for n, one in enumerate(fixed) if one["linkId"] == "note")
    return {**form, "item": [*fixed[:at], *first, *others, *fixed[at:]]}


def form_of(library: Library, canonical: str) -> Tree:
    """The form of that canonical. Of a version that is not there the latest one, of a service whose forms are not there the
    model; the daily one for none at all."""
    tries = (canonical, canonical.partition("|")[0], model_of(canonical))
    found = next(filter(None, (library.find(one) for one in tries if one)), None)
    return found.tree if found is not None else library.tree(FORM)


def canonical(form: Tree) -> str:
    return f"{form.get('url', '')}|{form.get('version', '')}"


def of_service(model: str, service: str) -> str:
    """The address of a service's own versions of a model. `service`: the id of its Organization."""
    return f"{model}.{service}"


def model_of(address: str) -> str:
    """The model of a form's canonical; '' for what is none of these forms."""
    url = address.partition("|")[0]
    return next((model for model in READY.values() if url == model or url.startswith(f"{model}.")), "")


def is_visit(address: str) -> bool:
    """Whether it is the canonical of a form of a home visit."""
    return model_of(address) != ""


def wanted(line: Tree, plans: Iterable[Tree]) -> str:
    """The model that is to be filled in at this tour line of a person with these plans."""
    for concept in line.get("serviceType", ()):
        for coding in concept.get("coding", ()):
            if coding.get("system") == codes.HOME_CARE and coding.get("code") in READY and coding["code"] != "visit":
                return READY[coding["code"]]
    for plan in plans:
        for activity in plan.get("activity", ()):
            for address in (activity.get("detail") or {}).get("instantiatesCanonical", ()):
                if plan.get("status") == "active" and (model := model_of(address)):
                    return model
    return FORM
