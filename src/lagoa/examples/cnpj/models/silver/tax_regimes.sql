/*
description: How a company was taxed, one row per year.
columns:
  cnpj: {checks: [not_null, {matches: '[0-9A-Z]{12}\d{2}'}]}
  year: {checks: [{min: 1990}]}
*/
with together as (
    select year, cnpj, partnership_cnpj, regime, books from bronze.regimes_exempt
    union all
    select year, cnpj, partnership_cnpj, regime, books from bronze.regimes_arbitrated
    union all
    select year, cnpj, partnership_cnpj, regime, books from bronze.regimes_presumed
    union all
    select year, cnpj, partnership_cnpj, regime, books from bronze.regimes_real
)

select
    year,
    regexp_replace(cnpj, '[./-]', '', 'g') as cnpj,
    nullif(regexp_replace(partnership_cnpj, '[./-]', '', 'g'), '0') as partnership_cnpj,
    regime,
    books
from together
