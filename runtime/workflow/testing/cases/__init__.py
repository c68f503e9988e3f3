"""The cases of the conformance suite, one module per part of the port."""
