"""A dbt project becomes a Lagoa project; dbt itself is neither needed nor run."""
