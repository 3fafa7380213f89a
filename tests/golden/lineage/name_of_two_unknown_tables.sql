select day, l.text from bronze.events, bronze.logs as l
