/*
description: One row per customer of a tenant.
columns:
  tenant: {checks: [not_null]}
  customer_id: {checks: [not_null]}
  contact: {pii: name}
  phone: {pii: phone}
checks:
  - unique: [tenant, customer_id]
*/
select
    tenant,
    CustomerID as customer_id,
    CompanyName as company,
    ContactName as contact,
    ContactTitle as title,
    City as city,
    Region as region,
    PostalCode as postal_code,
    Country as country,
    Phone as phone
from bronze.northwind_customers
