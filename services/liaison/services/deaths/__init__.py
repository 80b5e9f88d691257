"""What becomes of somebody's plans when their record says that they have died (docs/decisions/0008-who-ends-a-plan.md), and of the
places in sessions that they gave up, then or in their lifetime."""
