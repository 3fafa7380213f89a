"""Sources become rows that are ready to stage."""
