"""What is printed and handed over: the information on sharing, and the form of an opposition, each one PDF page."""
