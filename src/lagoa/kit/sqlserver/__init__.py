"""What the source `sqlserver` is made of."""
