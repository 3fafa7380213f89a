select c.address.city, address.zip as zip, {'a': name, 'b': state} as s, s2['k'] as k
from (select *, address.geo as s2 from bronze.customers) as c
