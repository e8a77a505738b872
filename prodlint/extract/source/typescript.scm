; What TypeScript adds to javascript.scm.

(abstract_class_declaration) @class
(import_require_clause) @import
(import_alias . (identifier) @other)
(enum_declaration name: (identifier) @other)
(internal_module name: (identifier) @other)
(internal_module name: (nested_identifier . (identifier) @other))
(module name: (identifier) @declared)
(function_signature name: (identifier) @declared)
(assignment_expression "using" left: (identifier) @other)
(ambient_declaration "global" (statement_block) @global)

(interface_declaration name: (type_identifier) @type) @interface
(type_alias_declaration name: (type_identifier) @type)
(type_parameter name: (type_identifier) @type)
