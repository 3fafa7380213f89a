select o.id, t.tag, t.n from bronze.orders as o cross join unnest(o.tags) with ordinality as t(tag, n)
