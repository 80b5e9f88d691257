"""What is planned, by the day it is due: a narrow row beside each plan and each step, for questions about everybody at once."""
