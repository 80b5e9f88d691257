"""What an outcome makes of a review: « Non justifié » and « Signalé » need a second reader, who is another person.

The first word of one of the two waits. The same word from somebody else settles it; any other word counts as a first one,
so that nobody is found at fault by one person alone, and nobody alone overrules in silence: each word is kept, with why.
"""

from typing import Final, Literal

from liaison.fhir.errors import Forbidden

NEEDS_TWO: Final = frozenset({"unjustified", "reported"})
UNSETTLED: Final = "to-clarify"
State = Literal["on-hold", "in-progress", "completed"]


def following(outcome: str, reader: int, before: str, first_reader: int) -> State:
    """The state after this outcome: to be clarified, waiting for a second reader, or settled. `before` and `first_reader` are
    the last word and who gave it. Raises Forbidden for who says twice what needs two people."""
    if outcome == UNSETTLED:
        return "on-hold"
    if outcome not in NEEDS_TWO:
        return "completed"
    if outcome != before:
        return "in-progress"
    if reader == first_reader:
        raise Forbidden("A second reader, who is another person, says whether it is so.")
    return "completed"
