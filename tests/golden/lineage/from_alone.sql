from bronze.visits
