/*
table: silver.order_lines
description: A line without an order would be revenue without a date.
*/
select l.tenant, l.order_id, l.product_id
from silver.order_lines as l
left join silver.orders as o on o.tenant = l.tenant and o.order_id = l.order_id
where o.order_id is null
