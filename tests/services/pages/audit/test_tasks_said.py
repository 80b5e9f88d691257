"""What the service does by itself is named on the auditors' desk."""

from liaison.auth.access.internal import INTERNALS
from liaison.services.pages.audit.tasks_said import TASKS


def test_each_task_of_the_service_has_its_words() -> None:
    assert {one.name for one in INTERNALS.values()} == TASKS.keys()
    assert len(set(TASKS.values())) == len(TASKS)
