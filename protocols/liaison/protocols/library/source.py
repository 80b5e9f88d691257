"""YAML in, trees out, with the line of every element: an error can name the file and line it stands on.

Only what JSON can say is read: no dates, no 'yes' and 'no', no tags. An anchor repeats its tree. Duplicate keys are refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

Tree = dict[str, Any]

# By libyaml where it is there: the library is read in a tenth of the time.
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]*)\Z")
_DECIMAL: Final = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+\Z")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_INDEX: Final = re.compile(r"\[[0-9]+\]\Z")


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in a file, on a line counted from 1 (0: the file as a whole)."""

    file: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True, slots=True)
class Source:
    """One resource and where each of its elements stands."""

    file: Path
    tree: Tree
    lines: dict[str, int] = field(repr=False)

    @property
    def canonical(self) -> str:
        return f"{self.tree.get('url', '')}|{self.tree.get('version', '')}"

    def line(self, expression: str) -> int:
        """The line of a FHIRPath like PlanDefinition.action[0].title, or of its nearest parent that is written."""
        path = expression.partition(".")[2]
        while path:
            if path in self.lines:
                return self.lines[path]
            path = _INDEX.sub("", path) if _INDEX.search(path) else path.rpartition(".")[0]
        return self.lines[""]

    def problem(self, expression: str, text: str) -> Problem:
        return Problem(self.file, self.line(expression), text)


class Malformed(Exception):
    """A file that is not YAML of this kind."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        super().__init__(str(problem))


def read(file: Path) -> Iterator[Source]:
    """The resources of a file, one a document. Raises Malformed with the line."""
    try:
        for node in yaml.compose_all(file.read_text(encoding="utf-8"), Loader=_LOADER):
            lines: dict[str, int] = {}
            tree = _build(file, node, "", lines)
            if not isinstance(tree, dict) or not isinstance(tree.get("resourceType"), str):
                raise Malformed(Problem(file, lines.get("", 1), "a document must be a resource with its resourceType"))
            yield Source(file, tree, lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise Malformed(Problem(file, mark.line + 1 if mark else 0, error.problem or "not YAML")) from None


def _build(file: Path, node: yaml.Node, path: str, lines: dict[str, int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        tree: Tree = {}
        for key, value in node.value:
            name = str(key.value)
            if name in tree:
                raise Malformed(Problem(file, key.start_mark.line + 1, f"'{name}' is written twice"))
            tree[name] = _build(file, value, f"{path}.{name}" if path else name, lines)
        return tree
    if isinstance(node, yaml.SequenceNode):
        return [_build(file, item, f"{path}[{number}]", lines) for number, item in enumerate(node.value)]
    text = str(node.value)
    if isinstance(node, yaml.ScalarNode) and node.style:  # None, or "" by libyaml, for what is not quoted
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text
