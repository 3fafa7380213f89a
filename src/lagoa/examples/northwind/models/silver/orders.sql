/*
description: One row per order of a tenant; the dates came as text with a time of 00:00:00.
columns:
  order_id: {checks: [not_null]}
  ordered_on: {checks: [not_null]}
  shipped_on: {description: Empty while the order waits.}
  freight: {checks: [{min: 0}]}
checks:
  - unique: [tenant, order_id]
*/
select
    o.tenant,
    o.OrderID as order_id,
    o.CustomerID as customer_id,
    o.EmployeeID as employee_id,
    o.OrderDate::date as ordered_on,
    o.RequiredDate::date as required_on,
    o.ShippedDate::date as shipped_on,
    s.CompanyName as shipper,
    o.Freight as freight,
    o.ShipCity as ship_city,
    o.ShipCountry as ship_country
from bronze.northwind_orders as o
left join bronze.northwind_shippers as s on s.tenant = o.tenant and s.ShipperID = o.ShipVia
