/*
kind: incremental
key: account_id
description: What is on each account now.
owner: bank@example.com
columns:
  account_id: {checks: [unique, not_null]}
*/
select
    a.account_id,
    a.customer_id,
    a.kind,
    (a.opening_balance + coalesce(sum(t.amount), 0))::decimal(14, 2) as balance,
    count(t.transaction_id) as transactions
from silver.accounts as a
left join silver.transactions as t on t.account_id = a.account_id
group by a.account_id, a.customer_id, a.kind, a.opening_balance
