/*
kind: incremental
key: customer_id
description: One row per customer whose CPF is right; the others wait in quarantine until it is corrected.
owner: bank@example.com
columns:
  customer_id: {checks: [unique, not_null]}
  cpf: {pii: cpf, description: Eleven digits.}
  cpf_is_right: {checks: [{in: [true], on_fail: quarantine}]}
*/
with plain as (
    select *, replace(replace(cpf, '.', ''), '-', '') as digits
    from bronze.bank_customers
),

apart as (
    select
        *,
        substr(digits, 1, 1)::int as d1,
        substr(digits, 2, 1)::int as d2,
        substr(digits, 3, 1)::int as d3,
        substr(digits, 4, 1)::int as d4,
        substr(digits, 5, 1)::int as d5,
        substr(digits, 6, 1)::int as d6,
        substr(digits, 7, 1)::int as d7,
        substr(digits, 8, 1)::int as d8,
        substr(digits, 9, 1)::int as d9,
        substr(digits, 10, 1)::int as d10,
        substr(digits, 11, 1)::int as d11
    from plain
),

added as (
    select
        *,
        10 * d1 + 9 * d2 + 8 * d3 + 7 * d4 + 6 * d5 + 5 * d6 + 4 * d7 + 3 * d8 + 2 * d9 as first_sum,
        11 * d1 + 10 * d2 + 9 * d3 + 8 * d4 + 7 * d5 + 6 * d6 + 5 * d7 + 4 * d8 + 3 * d9 + 2 * d10 as second_sum
    from apart
)

select
    customer_id,
    name,
    digits as cpf,
    d10 = first_sum * 10 % 11 % 10 and d11 = second_sum * 10 % 11 % 10 as cpf_is_right,
    email,
    phone,
    birth_date,
    city,
    state,
    created_at
from added
