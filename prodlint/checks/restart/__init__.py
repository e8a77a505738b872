"""Rules of the practice `restart`."""
