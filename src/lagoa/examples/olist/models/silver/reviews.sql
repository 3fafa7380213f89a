/*
description: One row per reviewed order and review; the words of the customer stay in bronze.
columns:
  order_id: {checks: [not_null, {foreign_key: silver.orders.order_id}]}
  score: {checks: [not_null, {in: [1, 2, 3, 4, 5]}]}
*/
select
    review_id,
    order_id,
    review_score as score,
    review_comment_message is not null as has_comment,
    review_creation_date::date as asked_on,
    review_answer_timestamp as answered_at
from bronze.olist_order_reviews
