"""Desired and actual become ordered steps, each with its reason."""
