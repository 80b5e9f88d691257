"""What the tests of the sandbox share; `sandbox` itself is a fixture of tests/services."""

from ..running_sandbox import Running, environment, liaison, start, stop

__all__ = ["Running", "environment", "liaison", "start", "stop"]
