/*
description: One row per establishment, its codes in words.
key: cnpj
columns:
  cnpj: {checks: [not_null, unique, {matches: '[0-9A-Z]{12}\d{2}'}]}
  status: {checks: [{in: [NULA, ATIVA, SUSPENSA, INAPTA, BAIXADA]}]}
  phone_1: {pii: phone}
  phone_2: {pii: phone}
  fax: {pii: phone}
*/
select
    e.cnpj_root || e.cnpj_order || e.cnpj_check as cnpj,
    e.cnpj_root,
    e.head_or_branch as head_or_branch_code,
    case e.head_or_branch when 1 then 'MATRIZ' when 2 then 'FILIAL' end as head_or_branch,
    e.trade_name,
    e.status as status_code,
    case e.status
        when 1 then 'NULA' when 2 then 'ATIVA' when 3 then 'SUSPENSA' when 4 then 'INAPTA' when 8 then 'BAIXADA'
    end as status,
    e.status_date,
    coalesce(e.status_reason, 0) as status_reason_code,
    regexp_replace(r.description, '\s+', ' ', 'g') as status_reason,
    e.special_status,
    e.special_status_date,
    e.opened_on,
    e.activity as activity_code,
    a.description as activity,
    e.other_activities,
    e.street_type,
    e.street,
    e.number,
    e.complement,
    e.district,
    e.zip,
    e.state,
    e.city as city_code,
    i.ibge_code as city_ibge_code,
    m.description as city,
    e.city_abroad,
    e.country as country_code,
    p.description as country,
    concat(e.area_code_1, e.phone_1) as phone_1,
    concat(e.area_code_2, e.phone_2) as phone_2,
    concat(e.area_code_fax, e.fax) as fax,
    e.email
from bronze.cnpj_establishments as e
left join bronze.cnpj_reasons as r on r.code = coalesce(e.status_reason, 0)
left join bronze.cnpj_activities as a on a.code = e.activity
left join bronze.cnpj_cities as m on m.code = e.city
left join bronze.cnpj_ibge_cities as i on i.code = e.city
left join bronze.cnpj_countries as p on p.code = e.country
