select o.id, g.n from bronze.orders as o, generate_series(1, o.amount) as g(n)
