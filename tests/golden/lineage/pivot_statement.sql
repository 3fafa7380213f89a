with p as (pivot bronze.items on product using sum(price)) select order_id, apple from p
