"""Rules of the practice `cluster`."""
