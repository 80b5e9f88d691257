"""`_text` and `_content` (search.html#text, #content), in plain Python over plain resources: no code of the engine.

A tree of words says what is asked; `written` is how a caller writes it, `says` whether a text says it. As
docs/implementation/search.md has it: whole words, folded; AND binds closer than OR; what has no text lacks every word.
"""

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from .elements import Resource, fold

Tree = Any
"""A phrase, ('not', tree), or ('and' | 'or', tree, tree)."""

_fold = fold.__wrapped__  # long texts have no place among those kept
_INLINE = re.compile(r"</?(?:a|abbr|b|big|code|em|i|small|span|strong|sub|sup|tt|u)\b[^>]*>")


def narrative(resource: Resource) -> str:
    return _fold(_plain(resource.get("text", {}).get("div", "")))


def content(resource: Resource) -> str:
    return _fold("\n".join(_strings(resource)))


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "div":
                yield _plain(value)
            elif name not in ("resourceType", "id", "versionId", "reference", "data"):
                yield from _strings(value)
    elif isinstance(node, list):
        for one in node:
            yield from _strings(one)
    elif not isinstance(node, bool):
        yield str(node)


def _plain(div: str) -> str:
    import html

    return html.unescape(re.sub(r"<[^>]*>", " ", _INLINE.sub("", div)))


def says(text: str, tree: Tree) -> bool:
    if isinstance(tree, str):
        return f" {fold(tree)} " in f" {text} "
    if tree[0] == "not":
        return not says(text, tree[1])
    return (all if tree[0] == "and" else any)(says(text, one) for one in tree[1:])


def written(tree: Tree, made: random.Random, within: str = "") -> str:
    """With the parentheses that it needs, and some that it does not."""
    if isinstance(tree, str):
        bare = " " not in tree and tree.lower() not in ("and", "or", "not") and made.random() < 0.7
        return tree if bare else f'"{tree}"'
    if tree[0] == "not":
        return f"{_cased('not', made)} {written(tree[1], made, 'not')}"
    sign = f" {_cased(tree[0], made)} " if tree[0] == "or" or made.random() < 0.5 else " "
    text = sign.join(written(one, made, tree[0]) for one in tree[1:])
    needed = within == "not" or (within == "and" and tree[0] == "or")
    return f"({text})" if needed or made.random() < 0.2 else text


def _cased(word: str, made: random.Random) -> str:
    return made.choice((word, word.upper(), word.capitalize()))


def asked_of(texts: Sequence[str], made: random.Random, depth: int) -> Tree:
    """A tree about words of these texts."""
    way = made.choice(("and", "and", "or", "or", "not")) if depth else ""
    if way == "not":
        return "not", asked_of(texts, made, depth - 1)
    if way:
        return way, asked_of(texts, made, depth - 1), asked_of(texts, made, made.randrange(depth))
    words = made.choice(texts).split()
    start = made.randrange(len(words))
    return " ".join(words[start : start + made.choice((1, 1, 1, 2, 3))])
