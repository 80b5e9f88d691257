"""Whether a tree is an R4 (4.0.1) resource: every problem, each by its FHIRPath. http://hl7.org/fhir/R4/validation.html"""

from liaison.fhir.definitions import RESOURCE_TYPES
from liaison.fhir.errors import BadRequest, Issue, Unprocessable
from liaison.fhir.model.tree import Tree
from liaison.fhir.model.validation import profiles
from liaison.fhir.model.validation.problem import Problems
from liaison.fhir.model.validation.scope import Scope
from liaison.fhir.model.validation.shape import check_resource


def problems(tree: Tree, *, ruled: bool = True) -> list[Issue]:
    """All that is wrong with a resource and what it holds, errors and warnings, in document order. No value is shown. What
    breaks R4's invariants is left out unless `ruled`."""
    found: Problems = []
    check_resource(tree, Scope.of(tree, ruled=ruled), found)
    named = tree.get("resourceType")
    root = named if isinstance(named, str) and named in RESOURCE_TYPES else ""
    told = [Issue(one.code, one.text, (root + one.path).lstrip("."), one.severity) for one in found]
    if any(one.severity == "error" for one in told):
        return told
    return [*told, *profiles.problems(tree, profiles.claimed(tree))]


def validate(tree: Tree, type_: str | None = None) -> None:
    """Raises when the tree is not a resource that R4 allows, with every problem; warnings alone raise nothing.

    BadRequest when it is not of `type_` or of no type of R4, Unprocessable otherwise. Structure, cardinality, types and
    forms of primitives, required codes, targets of references and R4's own invariants are checked, and what the profiles
    ask that it claims and that are known here (liaison.fhir.definitions.profiles); other profiles, other bindings and the existence of targets are not.
    """
    if type_ is not None and tree.get("resourceType") != type_:
        raise BadRequest(f"Expected a {type_}.", "resourceType")
    found = problems(tree)
    if any(issue.severity == "error" for issue in found):
        no_type = [issue.expression for issue in found] == ["resourceType"]
        raise (BadRequest if no_type else Unprocessable)(issues=found)
