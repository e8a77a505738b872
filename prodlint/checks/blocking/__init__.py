"""Rules of the practice `blocking`."""
