"""How: one file per technology, found by the registry by its name."""
