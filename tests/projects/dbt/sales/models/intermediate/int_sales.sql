select *, {{ big_when('amount') }} as size, md5(country) as sk
from {{ ref('stg_sales') }}
