; The nodes of a Python file that facts are made from; everything between them is looked at only when one of these
; needs its value. One query, so that the tree is walked once.

[
  (function_definition)
  (lambda)
  (class_definition)
  (decorated_definition)

  (call)
  (await)
  (subscript)
  (assignment)
  (augmented_assignment)
  (named_expression)
  (delete_statement)
  (type_alias_statement)
  (assert_statement)

  (import_statement)
  (import_from_statement)
  (future_import_statement)
  (global_statement)
  (nonlocal_statement)

  (if_statement)
  (conditional_expression)
  (boolean_operator)
  (for_statement)
  (while_statement)
  (list_comprehension)
  (set_comprehension)
  (dictionary_comprehension)
  (generator_expression)
  (try_statement)
  (with_statement)
  (match_statement)

  (return_statement)
  (raise_statement)
  (yield)
  (break_statement)
  (continue_statement)
] @node

; Apart, because it can span the very bytes of the expression in it and has to come first.
(expression_statement) @statement

(comment) @comment

(ERROR) @problem
(MISSING) @problem
