"""Whether a tree is an R4 (4.0.1) resource: every problem, each by its FHIRPath. http://hl7.org/fhir/R4/validation.html"""

from liaison.fhir.errors import BadRequest, Issue, Unprocessable
from liaison.fhir.model.tree import Tree
from liaison.fhir.model.validation.problem import Problems
from liaison.fhir.model.validation.scope import Scope
from liaison.fhir.model.validation.shape import check_resource


def problems(tree: Tree) -> list[Issue]:
    """All that is wrong with a resource and what it holds, errors and warnings, in document order. No value is shown."""
    found: Problems = []
    check_resource(tree, Scope.of(tree), found)
    root = tree.get("resourceType")
    root = root if isinstance(root, str) and root.isascii() and root.isidentifier() and len(root) < 65 else ""
    return [Issue(problem.code, problem.text, (root + problem.path).lstrip("."), problem.severity) for problem in found]


def validate(tree: Tree, type_: str | None = None) -> None:
    """Raises when the tree is not a resource that R4 allows, with every problem; warnings alone raise nothing.

    BadRequest when it is not of `type_` or of no type of R4, Unprocessable otherwise. Structure, cardinality, types and
    forms of primitives, required codes, targets of references and R4's own invariants are checked; profiles, other
    bindings and the existence of targets are not.
    """
    if type_ is not None and tree.get("resourceType") != type_:
        raise BadRequest(f"Expected a {type_}.", "resourceType")
    found = problems(tree)
    if any(issue.severity == "error" for issue in found):
        at_root = {issue.expression.rpartition(".")[2] for issue in found} == {"resourceType"} and len(found) == 1
        raise (BadRequest if at_root and "entry" not in tree else Unprocessable)(issues=found)
