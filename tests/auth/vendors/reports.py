"""What `make conformance` writes of a vendor's software."""

import json
from typing import Any

from liaison.auth.vendors.conformance import digest_of

from .test_request_file import good


def report(result: str = "passed", file: dict[str, Any] | None = None, **changes: Any) -> bytes:
    checks = [{"name": "pkce", "result": result, "why": "No S256." if result == "failed" else ""}]
    made = {
        "client_id": "cabinet-plus",
        "file": digest_of(file or good()),
        "made_at": "2026-03-01T10:00:00+00:00",
        "checks": checks,
        **changes,
    }
    return json.dumps(made).encode()
