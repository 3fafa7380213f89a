"""Files that exist become the source that reads them: their dialect, names, types, keys and personal data."""
