"""What an import did, for people and, as JSON, for programs."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from liaison.fhir.errors import FhirError

NAMED = 100
"""Refusals and unmatched references listed one by one; all are counted."""


@dataclass(slots=True)
class Report:
    """Counts by resource type. `destroyed` was of a record that was destroyed here, and is not stored again. `refused` says where each resource that was not stored is, and why; `doubtful`, of one that
    was, which identifier has a wrong check digit."""

    created: Counter[str] = field(default_factory=Counter)
    updated: Counter[str] = field(default_factory=Counter)
    unchanged: Counter[str] = field(default_factory=Counter)
    destroyed: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str]] = field(default_factory=list)
    unmatched: Counter[str] = field(default_factory=Counter)
    doubtful: list[tuple[str, str]] = field(default_factory=list)
    read: int = 0
    seconds: float = 0.0

    def refuse(self, where: str, error: FhirError) -> None:
        first = error.issues[0]
        more = f" (and {len(error.issues) - 1} more)" if len(error.issues) > 1 else ""
        place = f" [{first.expression}]" if first.expression else ""
        self.refused.append((where, f"{first.diagnostics}{place}{more}"))

    def add(self, other: "Report") -> None:
        """What became of other resources; how many were read is counted when they are."""
        self.created += other.created
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.destroyed += other.destroyed
        self.refused += other.refused
        self.unmatched += other.unmatched
        self.doubtful += other.doubtful

    @property
    def complete(self) -> bool:
        """Whether everything that was read is stored now, but for what was destroyed."""
        return not self.refused

    def as_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "created": dict(sorted(self.created.items())),
            "updated": dict(sorted(self.updated.items())),
            "unchanged": dict(sorted(self.unchanged.items())),
            "destroyed": dict(sorted(self.destroyed.items())),
            "refused": [{"where": where, "reason": reason} for where, reason in self.refused],
            "doubtful": [{"where": where, "warning": words} for where, words in self.doubtful],
            "unmatched_references": dict(self.unmatched.most_common()),
            "seconds": round(self.seconds, 3),
            "resources_per_second": round(self.read / self.seconds, 1) if self.seconds else None,
        }
