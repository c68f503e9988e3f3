"""libcst `Module` → `Module`, guided by what analysis found. Nothing here reports or reads
files."""
