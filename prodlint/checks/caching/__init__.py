"""Rules of the practice `caching`."""
