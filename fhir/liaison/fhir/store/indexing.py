"""What is kept of a resource beside its sealed body: index values, and the clinical date that orders pages."""

from datetime import datetime
from typing import Any, Final

from liaison.fhir import model
from liaison.fhir.definitions import clinical_paths
from liaison.fhir.search import index, moments
from liaison.fhir.store.contract import Indexed, Tree

NO_DATE: Final = datetime.min  # -infinity, as asyncpg writes it


def indexed(type_: str, tree: Tree) -> Indexed:
    """Everything SQL may know of this version's content."""
    tokens, dates = index.rows(type_, model.extract(type_, tree))
    return Indexed(clinical(type_, tree), tokens, dates)


def clinical(type_: str, tree: Tree) -> datetime:
    """The first instant of the type's main clinical date; NO_DATE when it has none, and always for people."""
    for path in clinical_paths(type_):
        for value in _found(tree, path.split(".")):
            if isinstance(value, dict):  # a Period
                value = value.get("start") or value.get("end")
            if isinstance(value, str) and (span := moments.span(value)) is not None:
                return span[0]
    return NO_DATE


def _found(node: Any, path: list[str]) -> list[Any]:
    nodes = [node]
    for name in path:
        nodes = [one[name] for one in nodes if isinstance(one, dict) and name in one]
        nodes = [item for one in nodes for item in (one if isinstance(one, list) else [one])]
    return nodes
