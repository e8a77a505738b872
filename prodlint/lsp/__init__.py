"""The language server: prodlint in the editor, on what is being typed. Needs the `lsp` extra (pygls)."""
