"""Rules of the practice `compression`."""
