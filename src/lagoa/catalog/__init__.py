"""What exists: tables, their columns, owners, sizes, freshness and history."""
