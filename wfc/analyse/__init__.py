"""`Module`s → `Program`: ids, what workflow code reaches, and the checks that report on it."""
