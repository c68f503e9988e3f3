"""`Program` and transformed texts → the files of `generated/`."""
