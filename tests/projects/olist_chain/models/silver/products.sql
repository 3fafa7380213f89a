/*
kind: incremental
key: product_id
*/
select p.product_id, coalesce(t.product_category_name_english, p.product_category_name, 'unknown') as category
from bronze.olist_products as p
left join bronze.olist_translation as t on t.product_category_name = p.product_category_name
