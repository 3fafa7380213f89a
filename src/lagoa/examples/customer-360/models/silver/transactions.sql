/*
kind: incremental
key: transaction_id
description: One row per transaction, as it was told last; what came twice stands once, what was taken back is gone.
owner: bank@example.com
columns:
  transaction_id: {checks: [unique, not_null]}
  account_id: {checks: [{foreign_key: silver.accounts.account_id}]}
  kind: {checks: [{in: [salary, pix_in, pix_out, boleto, card]}]}
  amount: {description: 'In reais, negative when money goes out.'}
*/
with newest as (
    select transaction_id, max(updated_at) as updated_at
    from bronze.bank_transactions
    group by transaction_id
)

select distinct
    t.transaction_id,
    t.account_id,
    t.kind,
    t.amount,
    t.category,
    t.happened_at
from bronze.bank_transactions as t
join newest as n on n.transaction_id = t.transaction_id and n.updated_at = t.updated_at
where t.deleted_at is null
