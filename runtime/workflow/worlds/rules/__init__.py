"""The rules of the port for worlds that work on groups of calls: pure, no SQL, no I/O."""
