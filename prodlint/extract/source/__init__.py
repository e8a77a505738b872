"""Extraction of facts from source code: one module per language, `extract(data, kind)` in each."""
