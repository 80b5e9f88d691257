"""RFC 9162 trees. Vectors: transparency-dev/merkle, testonly/constants.go and testdata/ (the CT reference vectors)."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.auth.journal import tree
from liaison.auth.journal.tree import Frontier, Node, ProofError, Span

INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
# (index, size, proof) of testdata/inclusion/{1,3,4}/happy-path.json
INCLUSION = [
    (
        0,
        8,
        [
            "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
        ],
    ),
    (2, 3, ["+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="]),
    (
        1,
        5,
        [
            "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
        ],
    ),
]
# (old, new, proof) of testdata/consistency/{1,3}/happy-path.json
CONSISTENCY = [
    (
        1,
        8,
        [
            "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=",
        ],
    ),
    (
        2,
        5,
        [
            "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
            "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
        ],
    ),
]


def decoded(proof: list[str]) -> list[bytes]:
    return [base64.b64decode(one) for one in proof]


def all_nodes(leaves: list[bytes]) -> dict[Node, bytes]:
    """Every complete subtree, the slow way."""
    found = {Node(0, number): hashed for number, hashed in enumerate(leaves)}
    level, row = 0, leaves
    while len(row) > 1:
        level += 1
        row = [tree.node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
        found |= {Node(level, number): hashed for number, hashed in enumerate(row)}
    return found


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1 word for word, over leaf hashes."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def leaves(count: int) -> list[bytes]:
    return [tree.leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def test_roots_are_those_of_the_reference_vectors() -> None:
    frontier = Frontier()
    assert frontier.root() == ROOTS[0]
    for data, root in zip(INPUTS, ROOTS[1:], strict=True):
        frontier.append(tree.leaf_hash(data))
        assert frontier.root() == root


@pytest.mark.parametrize(("index", "size", "proof"), INCLUSION)
def test_inclusion_proofs_are_those_of_the_reference_vectors(index: int, size: int, proof: list[str]) -> None:
    hashed = [tree.leaf_hash(data) for data in INPUTS[:size]]
    made = tree.proof(tree.inclusion(index, size), all_nodes(hashed))
    assert made == decoded(proof)
    tree.verify_inclusion(hashed[index], index, size, made, ROOTS[size])


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCY)
def test_consistency_proofs_are_those_of_the_reference_vectors(old: int, new: int, proof: list[str]) -> None:
    hashed = [tree.leaf_hash(data) for data in INPUTS[:new]]
    made = tree.proof(tree.consistency(old, new), all_nodes(hashed))
    assert made == decoded(proof)
    tree.verify_consistency(old, new, made, ROOTS[old], ROOTS[new])


@given(st.integers(1, 300), st.data())
def test_every_leaf_has_a_proof_that_verifies(size: int, data: st.DataObject) -> None:
    hashed = leaves(size)
    index = data.draw(st.integers(0, size - 1))
    root = mth(hashed)
    path = tree.proof(tree.inclusion(index, size), all_nodes(hashed))
    tree.verify_inclusion(hashed[index], index, size, path, root)
    with pytest.raises(ProofError):
        tree.verify_inclusion(tree.leaf_hash(b"another"), index, size, path, root)
    with pytest.raises(ProofError):
        tree.verify_inclusion(hashed[index], index, size, [*path, root], root)
    if path:
        with pytest.raises(ProofError):
            tree.verify_inclusion(hashed[index], index, size, path[:-1], root)


@given(st.integers(1, 300), st.data())
def test_every_older_tree_has_a_consistency_proof_that_verifies(new: int, data: st.DataObject) -> None:
    hashed = leaves(new)
    old = data.draw(st.integers(1, new))
    path = tree.proof(tree.consistency(old, new), all_nodes(hashed))
    tree.verify_consistency(old, new, path, mth(hashed[:old]), mth(hashed))
    with pytest.raises(ProofError):
        tree.verify_consistency(old, new, path, mth([tree.leaf_hash(b"altered"), *hashed[1:old]]), mth(hashed))
    with pytest.raises(ProofError):
        tree.verify_consistency(old, new, [*path, hashed[0]], mth(hashed[:old]), mth(hashed))


@given(st.integers(0, 2000))
def test_frontier_gives_the_root_of_the_definition(size: int) -> None:
    hashed = leaves(size)
    frontier = Frontier()
    for one in hashed:
        frontier.append(one)
    assert frontier.root() == mth(hashed)
    complete = tree.nodes(Span(0, size))
    known = all_nodes(hashed)
    assert Frontier(size, [known[node] for node in complete]).root() == mth(hashed)


def test_no_proof_for_what_the_tree_does_not_hold() -> None:
    for index, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no such leaf"):
            tree.inclusion(index, size)
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ValueError, match="No proof"):
            tree.consistency(old, new)
