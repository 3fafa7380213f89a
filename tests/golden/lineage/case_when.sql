select case when state = 'RS' then name else cpf end as shown, case when cpf is null then 0 else 1 end as known
from bronze.customers
