"""The revenue of the next three months, if the months go on as they did.

---
description: A straight line through the whole months so far.
owner: shop@example.com
inputs: {months: gold.revenue_by_month}
columns:
  month: {type: date, checks: [unique, not_null]}
  revenue: {type: 'decimal(14, 2)'}
"""

from datetime import date
from typing import Any


def model(months: Any) -> list[dict[str, object]]:
    """Fit a line through the months but the last, which may not be over, and follow it."""
    known = months.order("month").fetchall()[:-1]
    revenue = [float(row[3]) for row in known]
    middle = (len(revenue) - 1) / 2
    mean = sum(revenue) / len(revenue)
    spread = sum((n - middle) ** 2 for n in range(len(revenue))) or 1.0
    slope = sum((n - middle) * (value - mean) for n, value in enumerate(revenue)) / spread
    last: date = known[-1][0]
    return [
        {
            "month": date(last.year + (last.month + ahead - 1) // 12, (last.month + ahead - 1) % 12 + 1, 1),
            "revenue": round(mean + slope * (len(revenue) - 1 + ahead - middle), 2),
        }
        for ahead in (1, 2, 3)
    ]
