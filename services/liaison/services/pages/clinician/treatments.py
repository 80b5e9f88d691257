"""The treatments of one person, sorted by what the record says of them: taken, only proposed, ended, never to be given."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from liaison.fhir.model.references import unversioned
from liaison.services.pages.reading import moments
from liaison.services.pages.reading.medicines import ended, forbidden, medicine, prohibits, proposed, taken
from liaison.services.pages.reading.states import in_error

Tree = dict[str, Any]
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Treatments:
    """`forbidden` is what must not be given (R4: doNotPerform), `proposed` what nobody has ordered or taken yet."""

    forbidden: list[Tree]
    taken: list[Tree]
    proposed: list[Tree]
    ended: list[Tree]


def sorted_out(trees: list[Tree], now: datetime) -> Treatments:
    """Each once. Of what ended, each medicine once, as it ended last; none that is taken still, under the same words."""
    known = list({f"{tree['resourceType']}/{tree['id']}": tree for tree in trees if not in_error(tree)}.values())
    today = [tree for tree in known if taken(tree, now)]
    over = [tree for tree in known if ended(tree, now) and not forbidden(tree)]
    return Treatments(
        [tree for tree in known if prohibits(tree)],
        today,
        [tree for tree in known if proposed(tree, now) and not forbidden(tree) and not ended(tree, now)],
        _once_each(sorted(over, key=lambda tree: moments.happened(tree) or _NEVER, reverse=True), today),
    )


def named(treatments: list[Tree], found: list[Tree], base_url: str) -> list[Tree]:
    """Those that can be named: each holds the Medication it refers to, as if it had contained it, and so says what that
    one says of itself too. One entered in error leaves the treatment, which a person may really take, and marks it.

    One whose Medication the reader does not see is left out. The right to a wrapper is not the right to its content
    (design, « one visible set »), and a treatment without a name says that there is one to hide.
    """
    cards = {f"Medication/{one['id']}": one for one in found if one["resourceType"] == "Medication"}
    kept = []
    for tree in treatments:
        reference = tree.get("medicationReference") or {}
        address = unversioned(str(reference.get("reference", "")).removeprefix(f"{base_url}/"))
        if address in cards:
            holding = [*tree.get("contained", []), {**cards[address], "id": address}]
            kept.append(
                {**tree, "contained": holding, "medicationReference": {**reference, "reference": f"#{address}"}}
            )
        elif reference.get("display") or not address.startswith("Medication/"):
            kept.append(tree)
    return kept


def _once_each(over: list[Tree], today: list[Tree]) -> list[Tree]:
    seen = {medicine(one) for one in today}
    kept = []
    for tree in over:
        if (name := medicine(tree)) not in seen or not name:
            seen.add(name)
            kept.append(tree)
    return kept
