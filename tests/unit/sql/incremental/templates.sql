-- Each query, its key, and how it must be followed: `all` inputs, `some` of them, or `refused`.
-- {p:x:t1} becomes a random condition on alias x of table t1.

-- project | id | all
select id, a, v from s.t1;

-- filter | id | all
select id, a, v from s.t1 x where {p:x:t1};

-- expr_key | k | all
select coalesce(v, 0) % 3 as k, v, s from s.t1 x where {p:x:t1};

-- case_key | k | all
select case when {p:x:t1} then a else b end as k, v from s.t1 x;

-- two_keys | a,b | all
select a, b, v from s.t1 x where {p:x:t1};

-- inner | id | all
select x.id, x.v, y.v v2 from s.t1 x join s.t2 y on x.a=y.a where {p:x:t1} and {p:y:t2};

-- inner_keyright | id | all
select y.id, x.v, y.v v2 from s.t1 x join s.t2 y on x.a=y.a where {p:x:t1};

-- inner_2keys | i,j | all
select x.id i, y.id j, x.v from s.t1 x join s.t2 y on x.a=y.a and {p:y:t2};

-- inner_comma | id | all
select x.id, y.v from s.t1 x, s.t2 y where x.a=y.a and {p:x:t1};

-- inner_range | id | all
select x.id, y.v from s.t1 x join s.t2 y on x.a=y.a and x.v < y.v;

-- nonequi | id | all
select x.id, y.v from s.t1 x join s.t2 y on x.v < y.v;

-- cross | id | some
select x.id, y.v from s.t1 x cross join s.t2 y;

-- using | a | all
select a, x.v, y.v v2 from s.t1 x join s.t2 y using (a) where {p:x:t1};

-- left | id | all
select x.id, x.v, y.v v2 from s.t1 x left join s.t2 y on x.a=y.a where {p:x:t1};

-- left_onpred | id | all
select x.id, x.v, y.v v2 from s.t1 x left join s.t2 y on x.a=y.a and {p:y:t2} and {p:x:t1};

-- left_where_right | id | all
select x.id, y.v v2 from s.t1 x left join s.t2 y on x.a=y.a where {p:y:t2};

-- left_keyright | id | all
select y.id, x.v, y.v v2 from s.t1 x left join s.t2 y on x.a=y.a;

-- left_key_coalesce | k | all
select coalesce(y.id, x.id) k, x.v from s.t1 x left join s.t2 y on x.a=y.a and {p:y:t2};

-- left_bothkeys | i,j | all
select x.id i, y.id j, x.v from s.t1 x left join s.t2 y on x.a=y.a and {p:y:t2};

-- left_keytied | k,j | all
select x.a k, y.id j, x.v from s.t1 x left join s.t2 y on x.a=y.a where {p:x:t1};

-- right_keytied | j,k | all
select x.id j, y.d k, y.v from s.t1 x right join s.t2 y on x.b=y.d and {p:x:t1};

-- left_null_anti | id | all
select x.id, x.v from s.t1 x left join s.t2 y on x.a=y.a and {p:y:t2} where y.id is null;

-- left_left | id | all
select x.id, y.v v2, z.v v3 from s.t1 x left join s.t2 y on x.a=y.a left join s.t3 z on y.d=z.d;

-- left_left_keylast | id | all
select z.id, y.v v2, x.v v3 from s.t1 x left join s.t2 y on x.a=y.a left join s.t3 z on y.d=z.d and {p:z:t3};

-- left_left_keyall | i,j,k | all
select x.id i,y.id j,z.id k, x.v from s.t1 x left join s.t2 y on x.a=y.a left join s.t3 z on y.d=z.d;

-- left_inner | id | all
select x.id, y.v v2, z.v v3 from s.t1 x left join s.t2 y on x.a=y.a join s.t3 z on x.b=z.b where {p:z:t3};

-- left_inner_keyz | id | all
select z.id, y.v v2, x.v from s.t1 x left join s.t2 y on x.a=y.a join s.t3 z on y.d=z.d;

-- left_nullsafe_on | id | some
select z.id, x.v from s.t1 x left join s.t2 y on x.a=y.a left join s.t3 z on y.d is not distinct from z.d;

-- right | id | all
select y.id, x.v, y.v v2 from s.t1 x right join s.t2 y on x.a=y.a and {p:x:t1};

-- right_keyleft | id | all
select x.id, x.v, y.v v2 from s.t1 x right join s.t2 y on x.a=y.a;

-- full_coalesce | k | all
select coalesce(x.a, y.a) k, x.v, y.v v2 from s.t1 x full join s.t2 y on x.a=y.a;

-- full_using | a | all
select a, x.v, y.v v2 from s.t1 x full join s.t2 y using (a);

-- full_bothkeys | i,j | all
select x.id i, y.id j, x.v from s.t1 x full join s.t2 y on x.a=y.a and {p:y:t2};

-- full_left | i,j | all
select coalesce(x.id, y.id) i, z.id j from s.t1 x full join s.t2 y on x.a=y.a left join s.t3 z on x.b=z.b;

-- right_left | i,j | all
select y.id i, z.id j, x.v from s.t1 x right join s.t2 y on x.a=y.a left join s.t3 z on x.b=z.b and {p:z:t3};

-- left_right | i,j | all
select x.id i, z.id j, y.v from s.t1 x left join s.t2 y on x.a=y.a right join s.t3 z on x.b=z.b and {p:z:t3};

-- left_right_keymiddle | i,j | all
select y.a i, z.id j, x.v from s.t1 x left join s.t2 y on x.a=y.a right join s.t3 z on y.d=z.d;

-- inner_right_keymiddle | i,j | all
select y.a i, z.id j, x.v from s.t1 x join s.t2 y on x.a=y.a right join s.t3 z on y.d=z.d;

-- full_full | i,j,k | all
select x.id i, y.id j, z.id k from s.t1 x full join s.t2 y on x.a=y.a full join s.t3 z on x.b=z.b;

-- selfjoin | id | all
select x.id, x2.v from s.t1 x join s.t1 x2 on x.a=x2.b where {p:x:t1};

-- self_left | id | all
select x.id, x2.v from s.t1 x left join s.t1 x2 on x.a=x2.b;

-- three_inner | id | all
select z.id, x.v, y.v v2 from s.t1 x join s.t2 y on x.a=y.a join s.t3 z on y.d=z.d where {p:x:t1} and {p:z:t3};

-- triangle | id | all
select x.id, z.v from s.t1 x join s.t2 y on x.a=y.a join s.t3 z on y.d=z.d and z.b=x.b;

-- cross_then_left | id | some
select y.id, x.v from s.t1 x cross join s.t2 y left join s.t3 z on z.b=x.b and z.d=y.d;

-- group | a | all
select a, count(*) n, sum(v) sv, min(s) ms from s.t1 x where {p:x:t1} group by a;

-- group2_key1 | a | all
select a, b, count(v) n from s.t1 x where {p:x:t1} group by a, b;

-- group2 | a,b | all
select a, b, avg(v) n, max(v) m from s.t1 x group by 1, 2;

-- group_expr | k | all
select coalesce(v,0)%2 k, count(distinct a) n from s.t1 x where {p:x:t1} group by coalesce(v,0)%2;

-- group_exprofkey | k | all
select upper(cast(a as varchar)) k, count(*) n from s.t1 x group by a;

-- group_join | d | all
select y.d, sum(x.v) sv from s.t1 x join s.t2 y on x.a=y.a where {p:x:t1} group by y.d;

-- group_left | a | all
select x.a, count(y.id) n from s.t1 x left join s.t2 y on x.a=y.a and {p:y:t2} group by x.a;

-- group_left_keyright | d | all
select y.d, count(*) n from s.t1 x left join s.t2 y on x.a=y.a group by y.d;

-- group_3 | b | all
select z.b, count(distinct x.id) n, sum(y.v) s from s.t3 z left join s.t2 y on y.d=z.d left join s.t1 x on x.a=y.a group by z.b;

-- having | a | all
select a, count(*) n from s.t1 x where {p:x:t1} group by a having count(*) > 1;

-- having_in | a | all
select a, count(*) n from s.t1 x group by a having max(v) > 2 and a in (select y.a from s.t2 y where {p:y:t2});

-- agg_filter | a | all
select a, count(*) filter (where {p:x:t1}) n from s.t1 x group by a;

-- nested_agg | n | all
select n, count(*) m from (select a, count(*) n from s.t1 group by a) q group by n;

-- nested_agg_b | d | all
select y.d, sum(q.sv) s from (select a, sum(v) sv from s.t1 x where {p:x:t1} group by a) q join s.t2 y on y.a=q.a group by y.d;

-- nested_max | b | all
select b, max(n) m from (select a, b, count(*) n from s.t1 x where {p:x:t1} group by a, b) q group by b;

-- nested_inner_other | mx | all
select mx, count(*) c from (select a, max(b) mx from s.t1 x where {p:x:t1} group by a) q group by mx;

-- agg_join_on_agg | id | all
select y.id, q.a from (select a, max(d) md from s.t2 group by a) q join s.t3 y on y.d = q.md;

-- agg_join | id | all
select x.id, q.n from s.t1 x join (select a, count(*) n from s.t2 y where {p:y:t2} group by a) q on q.a=x.a;

-- agg_left | id | all
select x.id, q.n from s.t1 x left join (select a, count(*) n from s.t2 y where {p:y:t2} group by a) q on q.a=x.a;

-- agg_full_agg | a | all
select coalesce(p.a,q.a) a, p.n, q.n m from (select a,count(*) n from s.t1 x where {p:x:t1} group by a) p full join (select a,sum(v) n from s.t2 y where {p:y:t2} group by a) q on p.a=q.a;

-- agg_leftkeyagg | n | all
select q.n, count(*) c from s.t1 x left join (select a, count(*) n from s.t2 y where {p:y:t2} group by a) q on q.a=x.a group by q.n;

-- cte | a | all
with c as (select a, b, v from s.t1 x where {p:x:t1}) select a, sum(v) s from c group by a;

-- cte_twice | a | all
with c as (select a, count(*) n from s.t1 x where {p:x:t1} group by a) select p.a, p.n, q.n m from c p join c q on p.n=q.n;

-- cte_filter_agg | id | all
with c as (select a, sum(v) sv from s.t1 x group by a) select x.id, c.sv from s.t1 x join c on c.a=x.a where c.sv > 3 and {p:x:t1};

-- cte_chain | id | all
with c as (select a, max(b) mb from s.t1 x where {p:x:t1} group by a), e as (select mb, count(*) n from c group by mb) select y.id, e.n from s.t2 y left join e on e.mb=y.d;

-- cte_shadow | id | all
with t2 as (select a, v from s.t2 y where {p:y:t2}) select x.id, t2.v from s.t1 x join t2 on x.a=t2.a;

-- union_all | a | all
select a, v from s.t1 x where {p:x:t1} union all select a, v from s.t2 y where {p:y:t2};

-- union | a | all
select a, v from s.t1 x where {p:x:t1} union select a, v from s.t2 y where {p:y:t2};

-- except | a | all
select a, v from s.t1 x where {p:x:t1} except select a, v from s.t2 y where {p:y:t2};

-- except_all | a | all
select a, v from s.t1 x where {p:x:t1} except all select a, v from s.t2 y where {p:y:t2};

-- intersect | a | all
select a, v from s.t1 x where {p:x:t1} intersect select a, v from s.t2 y where {p:y:t2};

-- union_names | k | all
select a as k, v from s.t1 x where {p:x:t1} union all select d, v from s.t2 y union all select b, v from s.t3;

-- union_group | k | all
select k, sum(v) s from (select a k, v from s.t1 x where {p:x:t1} union all select d, v from s.t2) u group by k;

-- union_join | id | all
select z.id, u.v from s.t3 z left join (select b k, v from s.t1 x where {p:x:t1} union select d, v from s.t2) u on u.k=z.b;

-- distinct | a | all
select distinct a, b from s.t1 x where {p:x:t1};

-- distinct_sub | a | all
select a, count(*) n from (select distinct a, b from s.t1 x where {p:x:t1}) q group by a;

-- distinct_join | id | all
select x.id, q.d from s.t1 x left join (select distinct a, d from s.t2 y where {p:y:t2}) q on x.a=q.a;

-- win_rank | a | all
select a, id, rank() over (partition by a order by v) r from s.t1 x where {p:x:t1};

-- win_sum | a | all
select a, id, sum(v) over (partition by a) s from s.t1 x where {p:x:t1};

-- win_running | a | all
select a, id, sum(v) over (partition by a order by b) s from s.t1 x;

-- win_two | a | all
select a, b, sum(v) over (partition by a, b) s, count(*) over (partition by a) n from s.t1 x;

-- win_two_bad | a | refused
select a, b, sum(v) over (partition by b) s, count(*) over (partition by a) n from s.t1 x;

-- win_idkey | id | refused
select id, a, count(*) over (partition by a) n from s.t1 x;

-- win_partkey | a,id | all
select id, a, rank() over (partition by a order by v) r from s.t1 x where {p:x:t1};

-- win_partkey_join | id,a | all
select x.a, y.id, count(*) over (partition by x.a) n from s.t1 x left join s.t2 y on y.a=x.a and {p:y:t2};

-- win_partkey_except | a,id | all
select a, id, rank() over (partition by a order by v) r from s.t1 x except select a, id, 1 from s.t2 y where {p:y:t2};

-- group_partkey | a,m | all
select a, max(v) m, count(*) n from s.t1 x where {p:x:t1} group by a;

-- win_rn_total | a | all
select a, b, v, row_number() over (partition by a order by b, v) r from s.t1 x;

-- win_rn_ties | a | refused
select a, id, row_number() over (partition by a order by b) r from s.t1 x;

-- win_lag_total | a | all
select a, v, lag(v) over (partition by a order by v) r from s.t1 x;

-- win_left | a | all
select y.a, y.v, rank() over (partition by y.a order by x.v) r from s.t2 y left join s.t1 x on x.a=y.a where {p:y:t2};

-- win_over_agg | a | all
select a, b, count(*) n, sum(count(*)) over (partition by a) t from s.t1 x group by a, b;

-- win_all | id | refused
select id, count(*) over () n from s.t1;

-- qualify | a | all
select a, id, v from s.t1 x where {p:x:t1} qualify rank() over (partition by a order by v) = 1;

-- qualify_sub_join | id | all
select z.id, q.v from (select b, v from s.t1 x qualify rank() over (partition by a order by v desc) = 1) q join s.t3 z on z.b=q.b;

-- qualify_nested_key | b | all
select b, count(*) n from (select a, b, v from s.t1 x where {p:x:t1} qualify rank() over (partition by a order by v) = 1) q group by b;

-- in | id | all
select id, v from s.t1 x where a in (select y.a from s.t2 y where {p:y:t2}) and {p:x:t1};

-- not_in | id | all
select id, v from s.t1 x where a not in (select y.a from s.t2 y where {p:y:t2});

-- not_in_agg | b | all
select b, count(*) n from s.t1 x where a not in (select y.a from s.t2 y where {p:y:t2}) group by b;

-- in_or | id | all
select id, v from s.t1 x where a in (select y.a from s.t2 y) or {p:x:t1};

-- in_select | id | all
select id, a in (select y.a from s.t2 y where {p:y:t2}) f from s.t1 x;

-- in_group | id | all
select id, v from s.t1 x where a in (select y.a from s.t2 y group by y.a having count(*) > 1);

-- in_maxagg | id | all
select id, v from s.t1 x where b in (select max(y.d) from s.t2 y group by y.a);

-- not_in_union | id | all
select id, v from s.t1 x where a not in (select y.a from s.t2 y where {p:y:t2} union select z.b from s.t3 z);

-- exists | id | all
select id, v from s.t1 x where exists (select 1 from s.t2 y where y.a=x.a and {p:y:t2});

-- not_exists | id | all
select id, v from s.t1 x where not exists (select 1 from s.t2 y where y.a=x.a and {p:y:t2}) and {p:x:t1};

-- not_exists_nonequi | id | all
select id, v from s.t1 x where not exists (select 1 from s.t1 y where y.a=x.a and y.v > x.v);

-- exists_join | id | all
select id, v from s.t1 x where exists (select 1 from s.t2 y left join s.t3 z on y.d=z.d and {p:z:t3} where y.a=x.a and z.id is null);

-- exists_nested | id | all
select id, v from s.t1 x where exists (select 1 from s.t2 y where y.a=x.a and not exists (select 1 from s.t3 z where z.d=y.d and {p:z:t3}));

-- exists_group | id | all
select id, v from s.t1 x where exists (select 1 from s.t2 y where y.a=x.a group by y.d having count(*) > 1);

-- exists_uncorr | id | some
select id, v from s.t1 x where exists (select 1 from s.t2 y where {p:y:t2});

-- not_exists_keyright | id | all
select y.id, count(*) n from s.t1 x join s.t2 y on x.a=y.a where not exists (select 1 from s.t3 z where z.b=x.b and {p:z:t3}) group by y.id;

-- scalar_corr | id | all
select id, (select max(y.v) from s.t2 y where y.a=x.a and {p:y:t2}) m from s.t1 x where {p:x:t1};

-- scalar_corr_count | id | all
select id, (select count(*) from s.t2 y join s.t3 z on y.d=z.d where y.a=x.a) m from s.t1 x;

-- scalar_corr_where | id | all
select id, v from s.t1 x where v > (select avg(y.v) from s.t2 y where y.a=x.a);

-- scalar_outer_in_select | id | all
select id, (select sum(y.v + x.v) from s.t2 y where y.a=x.a) m from s.t1 x;

-- scalar_self | id | all
select id, v from s.t1 x where v = (select max(x2.v) from s.t1 x2 where x2.a=x.a);

-- scalar_uncorr | id | some
select id, v from s.t1 x where v > (select avg(v) from s.t2);

-- scalar_grouped | a | all
select a, count(*) n, (select max(y.v) from s.t2 y where y.a = x.a) m from s.t1 x group by a;

-- corr_optional | id | some
select x.id, y.v from s.t1 x left join s.t2 y on x.a=y.a where not exists (select 1 from s.t3 z where z.d=y.d);

-- global_agg_cross | id | some
select x.id, x.v - q.m dv from s.t1 x cross join (select max(v) m from s.t2) q;

-- global_agg_join | id | all
select x.id, q.m from s.t1 x join (select max(a) m from s.t2) q on x.a=q.m;

-- key_is_agg | k | refused
select a, max(v) k from s.t1 group by a;

-- const_key | k | all
select 1 as k, v from s.t1 x where {p:x:t1};

-- no_group | n | refused
select count(*) n, max(v) m from s.t1;

-- limit | id | refused
select id, v from s.t1 order by v limit 3;

-- limit_sub | id | refused
select id, v from (select * from s.t1 order by v, id limit 3) q;

-- scalar_limit1 | id | refused
select id, (select y.v from s.t2 y where y.a=x.a order by y.v limit 1) m from s.t1 x;

-- order_only | id | all
select id, v from s.t1 x where {p:x:t1} order by v;

-- random | id | refused
select id, random() r from s.t1;

-- now | id | refused
select id, now() r from s.t1;

-- current_date | id | refused
select id, current_date r from s.t1;

-- uuid | id | refused
select id, uuid() r from s.t1;

-- any_value | a | refused
select a, any_value(v) r from s.t1 group by a;

-- string_agg | a | refused
select a, string_agg(s, ',') r from s.t1 group by a;

-- arg_max | a | refused
select a, arg_max(s, v) r from s.t1 group by a;

-- distinct_on | a | refused
select distinct on (a) a, v from s.t1;

-- rollup | a | refused
select a, b, count(*) n from s.t1 group by rollup (a, b);

-- recursive | id | refused
with recursive r as (select id, a from s.t1 union all select t2.id, t2.a from s.t2 join r on r.a=t2.d) select * from r;

-- float_sum | a | refused
select a, sum(v::double) r from s.t1 group by a;

-- alias_shadow_group | s | all
select upper(s) as s, count(*) n from s.t1 group by s;

-- alias_shadow_group2 | v | all
select coalesce(v,0)%2 as v, count(*) n from s.t1 group by v;

-- alias_shadow_where | id | all
select id, coalesce(v,0)+2 as v from s.t1 where v > 2;

-- alias_shadow_having | a | all
select a, max(v) as v from s.t1 group by a having max(v) > 1 and count(v) > 1;

-- alias_lateral | id | all
select id, v + 1 as p, p * 2 as r from s.t1 where p > 2;

-- alias_shadow_sub | id | some
select id from s.t1 x where exists (select 1 from s.t2 x where x.a = x.d and {p:x:t2});

-- left_on_leftonly | i,j | all
select x.id i, y.id j from s.t1 x left join s.t2 y on {p:x:t1} and x.a=y.a;

-- in_window | id | all
select id from s.t1 x where a in (select a from (select a, v from s.t2 qualify rank() over (partition by d order by v) = 1) q);

-- in_left | id | all
select x.id, y.d from s.t1 x left join s.t2 y on x.a=y.a and {p:y:t2} where x.b not in (select z.b from s.t3 z where {p:z:t3});

-- three_key_inner | i,j,k | all
select x.id i, y.id j, z.id k from s.t1 x join s.t2 y on x.a=y.a join s.t3 z on y.d=z.d;

-- group_two_sides | b,d | all
select x.b, y.d, count(*) n from s.t1 x join s.t2 y on x.a=y.a group by x.b, y.d;

-- star | id | all
select x.* from s.t1 x where {p:x:t1};

-- sub_star | id | all
select * from (select id, a, v from s.t1 x where {p:x:t1}) q where v > 1;

-- union_grains | k | all
select a as k, v from s.t1 union all select b, count(*) from s.t1 group by b union all select null, count(*) from s.t3;

-- union_constant_grain | g,k | all
select 'row' as g, id as k, v from s.t1 union all select 'all', null, max(v) from s.t3 having count(*) <> 1;

-- left_using | a | all
select a, x.v, y.v v2, z.v v3 from s.t1 x left join s.t2 y using (a) left join (select b as a, v from s.t3) z using (a);

-- full_using_twice | a | refused
select a, x.v, y.v v2, z.v v3 from s.t1 x full join s.t2 y using (a) full join (select b as a, v from s.t3) z using (a);

-- union_name_twice | id | all
select id, 'row' as g, v from s.t1 union all select a, 'a', sum(v) from s.t1 group by a union all select b, 'b', 1 from s.t3;

-- union_name_twice_in_subquery | id | all
select q.id, q.v from (select id, v, s from s.t1 union all select a, v, 'a' from s.t2 x where {p:x:t2}) q where q.s <> 'y';

-- except_name_twice | id | all
select id, v, s from s.t1 except select a, v, 'a' from s.t2;

-- subquery_name_twice | id | refused
select q.id, q.v from (select x.a as id, y.a as id, x.v from s.t1 x left join s.t2 y on x.v = y.v) q;

-- exists_name_twice | id | all
select x.id from s.t1 x where exists (select * from s.t2 y join s.t2 z on y.a = z.a where y.a = x.a);
