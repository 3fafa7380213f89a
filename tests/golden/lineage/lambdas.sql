select list_transform(tags, lambda t: t || status) as marked, [x || '!' for x in tags if x <> ''] as loud from bronze.orders
