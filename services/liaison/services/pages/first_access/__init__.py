"""The one-time link of a new account: its owner chooses a password, and the link is spent."""
