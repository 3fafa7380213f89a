select id, c.name as customer, c.state::varchar as uf from bronze.customers as c
