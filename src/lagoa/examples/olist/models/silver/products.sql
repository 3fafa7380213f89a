/*
description: One row per product, with its category in English where Olist gives it.
columns:
  product_id: {checks: [unique, not_null]}
  weight_g: {description: In grams.}
*/
select
    p.product_id,
    coalesce(t.product_category_name_english, p.product_category_name) as category,
    p.product_photos_qty::integer as photos,
    p.product_weight_g::integer as weight_g
from bronze.olist_products as p
left join bronze.olist_translation as t on t.product_category_name = p.product_category_name
