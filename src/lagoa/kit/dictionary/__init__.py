"""Dictionaries: files that say what cryptic columns are called, what they hold, and whether that is personal."""
