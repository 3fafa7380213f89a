"""What SQL says: parsed, its references found, its meaning compared; sqlglot lives here and nowhere else."""
