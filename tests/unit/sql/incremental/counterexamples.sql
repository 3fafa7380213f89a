-- Queries of the kind that random ones found to be wrong, as in templates.sql.

-- group_all_constant | k | refused
select 'all' as k, count(*) n, sum(v) sv from s.t1 x where {p:x:t1} group by all;

-- group_all_beside_constant | a | all
select 'all' as k, a as a, count(*) n from s.t1 x where {p:x:t1} group by all;

-- group_constant | k | all
select 'all' as k, count(*) n, sum(v) sv from s.t1 x where {p:x:t1} group by 1;
