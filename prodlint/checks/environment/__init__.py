"""Rules of the practice `environment`."""
