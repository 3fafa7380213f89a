select state, list(name order by id)[1] as first, list({'n': name, 'c': cpf}) as people, histogram(state) as h
from bronze.customers group by state
