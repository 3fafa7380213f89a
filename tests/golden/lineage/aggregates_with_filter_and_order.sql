select state, count(distinct name) as names, sum(id) filter (where cpf is not null) as s,
  string_agg(name, ',' order by id) as list, arg_max(name, id) as newest
from bronze.customers group by all having count(*) > 1
