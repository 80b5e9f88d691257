"""A predicate from which a condition is gone, for the tests that must see it missed."""

from liaison.auth.access.filter import CONJUNCTS, Filter


class Hole(Filter):
    """Of the rows of one record the owner is asked for twice (Filter.covered): here each row is decided in full, so that the condition is
    gone wherever it is asked."""

    def __init__(self, name: str) -> None:
        super().__init__({**CONJUNCTS, name: "true"})

    def summed(self, held: str) -> str:
        return f"select s.mask, true as reads, s.owners from ({super().summed(held)}) s"
