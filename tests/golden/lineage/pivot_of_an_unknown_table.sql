select click from (pivot bronze.events on kind using count(id) group by day)
