"""The compiler and command line of workflow-compiler."""
