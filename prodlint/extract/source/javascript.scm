; What makes scopes, declares names or writes to them, in JavaScript and in TypeScript.
; `_js_scopes.py` reads the captures in the order of the source, outer ones first.

[
  (function_declaration)
  (generator_function_declaration)
  (function_expression)
  (generator_function)
  (arrow_function)
  (method_definition)
] @function

[(class_declaration) (class)] @class

[(statement_block) (switch_body) (for_statement)] @block
(class_static_block) @static
(catch_clause) @catch
(for_in_statement) @each

(lexical_declaration kind: "const" (variable_declarator) @const)
(lexical_declaration kind: "let" (variable_declarator) @let)
(variable_declaration (variable_declarator) @var)
(import_clause) @import

(assignment_expression left: (_) @write)
(augmented_assignment_expression left: (identifier) @write)
(update_expression argument: (identifier) @write)

[(ERROR) (MISSING)] @problem
