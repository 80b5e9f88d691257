"""The desk of whoever runs a home-care service: its alerts, what has arrived and what has not, tours, and what leaves as a file."""
