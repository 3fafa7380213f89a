with e as (select * exclude (secret) from bronze.events)
select e.id, user_id from e
