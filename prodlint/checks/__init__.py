"""One module per rule, in the folder of its practice: `check(program, rule)` and, where there is one, `fix`."""
