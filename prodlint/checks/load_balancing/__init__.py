"""Rules of the practice `load-balancing`."""
