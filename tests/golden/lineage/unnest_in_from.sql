select o.id, t.tag from bronze.orders as o, unnest(o.tags) as t(tag) where t.tag <> ''
