"""Delta tables: state, publish, merge, read, history, restore, compact, verify."""
