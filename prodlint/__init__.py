"""prodlint: finds what will hurt a web service in production, in its source code and its deployment files."""

__version__ = "0.1.0"
