"""What a check must know beside the object it looks at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Scope:
    """`resource` is the one being checked; `container` the one that `#id` is resolved in, which may hold it. `ruled`: whether
    R4's invariants are asked, too."""

    resource: dict[str, Any]
    container: dict[str, Any]
    contained: dict[str, Any] = field(default_factory=dict)
    ruled: bool = True

    @classmethod
    def of(cls, resource: dict[str, Any], *, ruled: bool = True) -> Scope:
        """For a resource that stands by itself."""
        inner = resource.get("contained")
        found = {}
        if type(inner) is list:
            found = {str(r["id"]): r for r in inner if type(r) is dict and "id" in r}
        return cls(resource, resource, found, ruled)

    def inside(self, resource: dict[str, Any]) -> Scope:
        """For a resource contained in this one."""
        return Scope(resource, self.container, self.contained, self.ruled)
