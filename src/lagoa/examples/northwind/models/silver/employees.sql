/*
description: One row per employee of a tenant; one tenant lists a person twice, under two numbers.
columns:
  employee_id: {checks: [not_null]}
  name: {pii: name}
  born_on: {pii: birth_date}
  salary: {pii: salary, checks: [{min: 0}]}
checks:
  - unique: [tenant, employee_id]
  - unique: [tenant, name, born_on]
    on_fail: quarantine
    name: one number per person
*/
select
    tenant,
    EmployeeID as employee_id,
    FirstName || ' ' || LastName as name,
    Title as title,
    BirthDate::date as born_on,
    HireDate::date as hired_on,
    City as city,
    Region as region,
    Country as country,
    nullif(ReportsTo, 0) as reports_to,
    Salary as salary
from bronze.northwind_employees
