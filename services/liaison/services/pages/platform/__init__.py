"""The telephone platform's desk: who is on the telephone, what must be known while they are, and the end of the call."""
