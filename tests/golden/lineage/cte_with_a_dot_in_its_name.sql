with "bronze.scores" as (select 1 as score)
select score, word from bronze.scores
