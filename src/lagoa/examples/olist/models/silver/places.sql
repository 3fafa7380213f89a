/*
description: The middle of each zip prefix.
columns:
  zip: {checks: [unique, not_null]}
*/
select
    lpad(geolocation_zip_code_prefix, 5, '0') as zip,
    mode(geolocation_state) as state,
    median(geolocation_lat) as latitude,
    median(geolocation_lng) as longitude
from bronze.olist_geolocation
group by all
