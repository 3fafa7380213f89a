select o.id, u.t.a as tag, u.t as both
from bronze.orders as o, unnest(list_transform(o.tags, lambda x: {'a': x, 'b': o.status})) as u(t)
