"""Carries out a plan; it alone sequences stage, audit and publish."""
