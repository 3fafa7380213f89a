select * from bronze.items unpivot (value for what in (quantity, price)) where what = 'price'
