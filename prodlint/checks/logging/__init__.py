"""Rules of the practice `logging`."""
