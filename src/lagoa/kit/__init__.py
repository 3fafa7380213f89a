"""What adapters may share: SQL text, Arrow batches, types."""
