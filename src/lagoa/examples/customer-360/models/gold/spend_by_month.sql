/*
kind: incremental
key: [customer_id, month]
description: What each customer spent in a month, and on what most.
owner: bank@example.com
columns:
  spent: {checks: [{min: 0}]}
*/
select
    a.customer_id,
    date_trunc('month', t.happened_at)::date as month,
    sum(-t.amount)::decimal(14, 2) as spent,
    coalesce(sum(-t.amount) filter (where t.kind = 'card'), 0)::decimal(14, 2) as by_card,
    count(*) as payments
from silver.transactions as t
join silver.accounts as a on a.account_id = t.account_id
where t.amount < 0
group by all
