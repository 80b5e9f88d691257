"""What the tests of the sandbox share; `sandbox` itself is a fixture of tests/services."""

from ..running_sandbox import Running, liaison, start, stop

__all__ = ["Running", "liaison", "start", "stop"]
