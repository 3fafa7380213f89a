/*
description: One row per product of a tenant, with its category and supplier.
columns:
  product_id: {checks: [not_null]}
  category: {checks: [not_null]}
  unit_price: {checks: [{min: 0}]}
checks:
  - unique: [tenant, product_id]
*/
select
    p.tenant,
    p.ProductID as product_id,
    p.ProductName as product,
    c.CategoryName as category,
    s.CompanyName as supplier,
    p.QuantityPerUnit as packed_as,
    p.UnitPrice as unit_price,
    p.UnitsInStock as in_stock,
    p.UnitsOnOrder as on_order,
    p.ReorderLevel as reorder_at,
    p.Discontinued = 1 as discontinued
from bronze.northwind_products as p
left join bronze.northwind_categories as c on c.tenant = p.tenant and c.CategoryID = p.CategoryID
left join bronze.northwind_suppliers as s on s.tenant = p.tenant and s.SupplierID = p.SupplierID
