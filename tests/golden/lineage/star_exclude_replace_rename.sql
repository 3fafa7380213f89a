select * exclude (cpf, address) replace (upper(name) as name) rename (state as uf) from bronze.customers
