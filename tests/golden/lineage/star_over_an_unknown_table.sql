select *, 1 as one from bronze.events where kind = 'click'
