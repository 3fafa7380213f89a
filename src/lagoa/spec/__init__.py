"""What is declared: one frozen pydantic class per noun of a project, and no I/O."""
