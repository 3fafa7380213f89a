/*
description: One row per customer, with a CPF that has the right form.
owner: shop@example.com
columns:
  customer_id: {checks: [unique, {not_null: true, on_fail: quarantine}]}
  name: {pii: name}
  cpf:
    pii: cpf
    description: Digits and punctuation, 000.000.000-00.
    checks: [{matches: '\d{3}\.\d{3}\.\d{3}-\d{2}', on_fail: quarantine}]
  email: {pii: email}
  state: {description: 'Two letters, such as SP.'}
*/
select
    customer_id,
    name,
    cpf,
    lower(nullif(email, '')) as email,
    city,
    state,
    since
from bronze.shop_customers
