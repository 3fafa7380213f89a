/*
description: One row per order's customer, with the person behind it.
columns:
  customer_id: {checks: [unique, not_null]}
  customer_unique_id: {pii: person, checks: [not_null]}
  zip: {pii: zip, checks: [{matches: '\d{5}'}]}
  state: {checks: [{matches: '[A-Z]{2}'}]}
*/
select
    customer_id,
    customer_unique_id,
    lpad(customer_zip_code_prefix, 5, '0') as zip,
    customer_city as city,
    customer_state as state
from bronze.olist_customers
