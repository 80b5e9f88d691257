"""One thing to write, alone or as an entry of a Bundle, as it goes from what was sent to a Change of the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from liaison.fhir.errors import BadRequest, FhirError, Issue
from liaison.fhir.model.patch import Patch
from liaison.fhir.store.contract import Change, Disclosure, Key, Row, Singled, Tree


def place(at: str, expression: str, *, resource: bool) -> str:
    """A FHIRPath inside the entry `at` of a Bundle. With `resource`, the expression starts with its type."""
    if not resource:
        return f"{at}.{expression}" if expression else at
    _, dot, below = expression.partition(".")
    return f"{at}.resource{dot}{below}"


@dataclass(slots=True)
class Write:
    """What is to be done with one resource.

    `at` is '' for a request of its own, else the entry's FHIRPath ('Bundle.entry[3]'). `none_exist` is the query of a
    conditional create, `matching` that of a conditional update, patch or delete, of which at most `most` may match. A
    patch is an update whose `tree` is made from the current content, once that is known. `whole` names a group of which
    all or none is stored, where an import puts several into one transaction. `linked` False: no uri element names an
    entry by urn. `referring` are the References of the tree, when they are known. `told` is what the sender should know of what is stored. The last fields are filled on the way: `key`
    names the resource written, `existing` says that a conditional create found it already there and writes nothing,
    `void` that a conditional delete found nothing, `added` that it stands for a further match of a conditional delete,
    `hidden` what the content before names and the sender may not know of (Opened.hidden),
    `consulted` what was read to say what its criteria mean, `singled` the other patients whom these single out.
    """

    interaction: Literal["create", "update", "delete"]
    type_: str
    tree: Tree | None
    at: str = ""
    id_: str = ""
    full_url: str = ""
    none_exist: str = ""
    matching: str = ""
    most: int = 1
    patch: Patch | None = None
    whole: str = ""
    linked: bool = True
    referring: Sequence[Tree] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    told: tuple[Issue, ...] = ()
    key: Key | None = None
    patient: int | None = None
    existing: bool = False
    void: bool = False
    added: bool = False
    before: Tree | None = None
    before_row: Row | None = None
    hidden: frozenset[str] = frozenset()
    change: Change | None = None
    consulted: tuple[Disclosure, ...] = ()
    singled: frozenset[Singled] = frozenset()

    def reset(self) -> None:
        """Back to how it was sent, before the transaction runs again. A key already given to a new resource stays."""
        if self.existing or self.interaction != "create":
            self.key = self.patient = None
        self.existing = self.void = False
        self.before = self.before_row = self.change = None
        self.hidden = frozenset()
        if self.patch is not None:
            self.tree = None
        if self.matching:
            self.id_ = ""
            if self.interaction == "create":
                self.interaction = "update"

    def place(self, path: str) -> str:
        """The FHIRPath of an element of this resource, as an issue names it."""
        return place(self.at, path, resource=True) if self.at else path

    def problem(self, error: FhirError) -> FhirError:
        """The same error, naming this entry in each of its issues."""
        if not self.at:
            return error
        error.issues = tuple(
            Issue(
                issue.code,
                f"{self.at}: {issue.diagnostics}",
                self.place(issue.expression) if issue.expression else self.at,
                issue.severity,
            )
            for issue in error.issues
        )
        return error

    def doubled(self, other: "Write") -> FhirError:
        """The error of another entry, which is about the resource of this one (R4 http.html#trules)."""
        which = self.at or "Another entry"
        return other.problem(BadRequest(f"{which} is about the same resource; a transaction may name each once."))
