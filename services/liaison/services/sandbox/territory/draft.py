"""A transaction Bundle being written: resources that point at each other by urn:uuid, made from stable names."""

from uuid import NAMESPACE_URL, uuid5

from liaison.services.sandbox.territory.shapes import Tree


class Draft:
    """Collects resources under one name. The same name and order give the same urn:uuid, whatever the content."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: dict[str, Tree] = {}
        self._named: dict[str, str] = {}

    def add(self, tree: Tree, key: str = "") -> str:
        """Adds a resource and returns the urn:uuid by which others refer to it, in this draft or a later one."""
        urn = f"urn:uuid:{uuid5(NAMESPACE_URL, f'{self.name}/{key or len(self.entries)}')}"
        if urn in self.entries:
            raise ValueError(f"{self.name} already holds {key}")
        self.entries[urn] = tree
        if key:
            self._named[key] = urn
        return urn

    def absorb(self, bundle: Tree) -> list[str]:
        """Adds the entries of another transaction under their own urn:uuid. Their conditions are dropped: what is made
        here is made once."""
        for entry in bundle["entry"]:
            self.entries[entry["fullUrl"]] = entry["resource"]
        return [entry["fullUrl"] for entry in bundle["entry"]]

    def __getitem__(self, key: str) -> str:
        return self._named[key]

    def __contains__(self, key: str) -> bool:
        return key in self._named

    def tree(self, key: str) -> Tree:
        return self.entries[self._named[key]]

    def resources(self, type_: str) -> list[Tree]:
        return [tree for tree in self.entries.values() if tree["resourceType"] == type_]

    def bundle(self) -> Tree:
        """The transaction, in the order of writing."""
        return {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"fullUrl": urn, "resource": tree, "request": {"method": "POST", "url": tree["resourceType"]}}
                for urn, tree in self.entries.items()
            ],
        }
