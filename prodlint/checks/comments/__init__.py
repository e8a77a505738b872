"""Checks of the practice `comments`: prodlint's own ignore comments."""
