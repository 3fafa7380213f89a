"""Sources: one external system a file."""
