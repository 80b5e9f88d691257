"""What becomes of an alert beside the Task that it is: its Flag, and the messages that carry it to those who read it."""
