"""What the source `duckdb` is made of."""
