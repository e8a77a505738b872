"""The third stage: the facts of all files become one program, and the questions that checks ask of it."""
