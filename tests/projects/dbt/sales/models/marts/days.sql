select {{ dbt.dateadd('day', 1, 'updated_at') }} as next_day, {{ dbt.datediff("cast('2024-01-01' as date)", 'updated_at', 'hour') }} as n,
  {{ dbt.date_trunc('month', 'updated_at') }} as m, {{ dbt.last_day('updated_at', 'month') }} as l, {{ dbt.safe_cast("sale_id", dbt.type_int()) }} as i,
  {{ dbt.hash('country') }} as h, {{ dbt.concat(["country", "'x'"]) }} as c, {{ dbt.split_part("country", "'r'", 1) }} as p, {{ dbt.length('country') }} as le, cast(amount as {{ dbt.type_numeric() }}) as num,
  cast(amount as {{ dbt.type_float() }}) as fl, {{ dbt.right("country", 1) }} as r, {{ dbt.replace("country", "'r'", "'z'") }} as rep, {{ dbt.any_value("sale_id") }} over () as av, {{ dbt.cast_bool_to_text("amount > 3") }} as b,
  {{ dbt.position("'r'", "country") }} as pos, {{ dbt.string_literal("it's") | replace("it's","its") }} as lit, {{ dbt.listagg("country", "'|'", "order by country") }} over () as la
from {{ ref('stg_sales') }}
