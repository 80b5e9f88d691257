"""What becomes of somebody's plans when their record says that they have died (docs/decisions/0008-who-ends-a-plan.md)."""
