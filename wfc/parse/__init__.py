"""Source bytes → `Module`: text, syntax tree, directives, top-level names."""
