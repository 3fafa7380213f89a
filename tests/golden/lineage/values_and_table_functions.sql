select v.label, r.n, v.code from (values (1, 'a'), (2, 'b')) as v(code, label), range(3) as r(n)
