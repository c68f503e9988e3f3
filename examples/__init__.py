"""Examples of this repository. `signup` is the one to read first."""
