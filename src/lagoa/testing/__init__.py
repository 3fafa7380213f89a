"""Contract suites and fixtures for those who write adapters (public)."""
