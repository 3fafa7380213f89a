/*
kind: incremental
key: order_id
*/
select i.order_id, i.item, i.price, i.freight, p.category
from bronze.olist_order_items as i
left join silver.products as p on p.product_id = i.product_id
