"""Writes project files for what exists elsewhere, so that nobody begins with an empty folder."""
