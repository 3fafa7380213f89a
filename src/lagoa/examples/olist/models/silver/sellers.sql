/*
description: One row per seller.
columns:
  seller_id: {checks: [unique, not_null]}
*/
select
    seller_id,
    lpad(seller_zip_code_prefix, 5, '0') as zip,
    seller_city as city,
    seller_state as state
from bronze.olist_sellers
