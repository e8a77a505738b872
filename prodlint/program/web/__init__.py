"""The web apps of frameworks: what is registered on them and how they are set up."""
