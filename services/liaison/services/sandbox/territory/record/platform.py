"""A call to the telephone platform that has ended: the task of it, and what the attending doctor was told."""

from datetime import datetime, timedelta

from liaison.auth.access import vocabulary
from liaison.services.sandbox.territory.clock import instant
from liaison.services.sandbox.territory.record.record import Record
from liaison.services.sandbox.territory.shapes import coded, period, ref


def ended_call(record: Record, at: datetime, minutes: int, reason: str, decided: str, attending: str) -> None:
    """It gives nobody a right any more: what an open call gives ends with it."""
    lasted = period(at, at + timedelta(minutes=minutes))
    code = coded(vocabulary.PLATFORM, "call", "Appel à la plateforme")
    call = record.add(
        {
            "resourceType": "Task",
            "status": "completed",
            "intent": "order",
            "code": code,
            "description": "Appel à la plateforme",
            "executionPeriod": lasted,
            "authoredOn": instant(at),
            "requester": record.who("call_handler"),
            "owner": record.who("regulating_doctor"),
            "reasonCode": {"text": reason},
            "restriction": {"period": lasted},
        }
    )
    record.add(
        {
            "resourceType": "Communication",
            "status": "completed",
            "category": [code],
            "about": [ref(call)],
            "recipient": [record.who(attending)],
            "sent": instant(at + timedelta(minutes=minutes)),
            "sender": record.who("call_handler"),
            "payload": [{"contentString": f"Appel à la plateforme : {reason}\n{decided}"}],
        }
    )
