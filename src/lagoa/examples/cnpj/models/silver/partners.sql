/*
description: One row per partner of a company, the codes in words.
columns:
  cnpj_root: {checks: [not_null]}
  name: {pii: name}
  cpf_or_cnpj: {pii: cpf, description: 'Of a person ***123456**, of a company its whole CNPJ.'}
  representative_cpf: {pii: cpf}
  representative_name: {pii: name}
*/
select
    s.cnpj_root,
    s.kind as kind_code,
    s.name,
    s.cpf_or_cnpj,
    coalesce(s.role, 0) as role_code,
    q.description as role,
    s.since,
    s.country as country_code,
    p.description as country,
    s.representative_cpf,
    s.representative_name,
    coalesce(s.representative_role, 0) as representative_role_code,
    r.description as representative_role,
    coalesce(s.age_band, 0) as age_band_code,
    case coalesce(s.age_band, 0)
        when 1 then 'Entre 0 a 12 anos'
        when 2 then 'Entre 13 a 20 anos'
        when 3 then 'Entre 21 a 30 anos'
        when 4 then 'Entre 31 a 40 anos'
        when 5 then 'Entre 41 a 50 anos'
        when 6 then 'Entre 51 a 60 anos'
        when 7 then 'Entre 61 a 70 anos'
        when 8 then 'Entre 71 a 80 anos'
        when 9 then 'Maiores de 80 anos'
        else 'Não se aplica'
    end as age_band
from bronze.cnpj_partners as s
left join bronze.cnpj_roles as q on q.code = coalesce(s.role, 0)
left join bronze.cnpj_roles as r on r.code = coalesce(s.representative_role, 0)
left join bronze.cnpj_countries as p on p.code = s.country
