select amount * 2 as double, double + 1 as more, id as amount, amount as same from bronze.orders where more > 3
