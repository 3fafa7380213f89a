select * from bronze.visits natural join bronze.scores
