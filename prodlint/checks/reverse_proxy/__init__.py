"""Rules of the practice `reverse-proxy`."""
