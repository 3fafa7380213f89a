from bronze.visits select #2 as second
