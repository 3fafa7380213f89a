-- Queries of the kind that random ones found to be wrong, as in templates.sql.

-- group_all_constant | k | refused
select 'all' as k, count(*) n, sum(v) sv from s.t1 x where {p:x:t1} group by all;

-- group_all_beside_constant | a | all
select 'all' as k, a as a, count(*) n from s.t1 x where {p:x:t1} group by all;

-- group_constant | k | all
select 'all' as k, count(*) n, sum(v) sv from s.t1 x where {p:x:t1} group by 1;

-- alias_hides_used | id | some
select t2.id from (select id, a as w, b as m from s.t1) t2 where t2.w in (select a from s.t2 where t2.a = m);

-- alias_hides_unread | k | some
select z.b as k from s.t3 z join (select a, b as m from s.t1) t2 on t2.a = z.b where exists (select 1 from s.t2 where t2.a = m);

-- having_aggregate_in | a | some
select a, sum(v) n from s.t1 group by a having sum(v) in (select y.v from s.t2 y where {p:y:t2});

-- having_shared_or_output | id | refused
select x.v as id, x.id as w, count(*) n from s.t2 x join s.t1 y using (id) where {p:x:t2} group by x.v, x.id having id is not null;

-- union_of_two_types | k | all
select cast(z.m as varchar) as k from (select 1.50 as m from s.t1 x where {p:x:t1} union select count(*) from s.t2 y) z;

-- union_with_texts | k | all
select k, count(*) n from (select x.s as k from s.t1 x union all select y.a from s.t2 y) z group by k;

-- comma_before_right | k | refused
select x.v as n, t1.a as k from s.t2 x, s.t1 right join s.t3 z on z.b = t1.b where {p:z:t3};

-- comma_before_using | id | refused
select x.id, y.v, z.s from s.t3 x, s.t1 y join s.t2 z using (id) where {p:x:t3};

-- comma_before_left | id | all
select x.id, y.v, z.d from s.t3 x, s.t1 y left join s.t2 z on z.a = y.a where x.b = y.b and {p:x:t3};

-- natural | id | refused
select id, y.v from s.t1 y natural join s.t2 z where {p:y:t1};

-- having_filter_or_output | s | refused
select a as s, count(*) n from s.t1 x where {p:x:t1} group by a having count(v) filter (where s is null) > 0;

-- select_filter_or_output | k | all
select a as k, v as s, count(*) filter (where s is null) n from s.t1 x where {p:x:t1} group by a, v;
