"""The second stage: the bytes of one file become its facts."""
