"""Rules of the practice `errors`."""
