/*
kind: scd2
key: customer_id
time: updated_at
description: Where each customer lives and lived, as far back as the lake has seen it.
owner: bank@example.com
*/
select customer_id, street, city, state, postal_code, updated_at
from bronze.bank_customers
