"""What adapters that speak to PostgreSQL share: its catalog, types, cursors, failures and connections."""
