"""Quality gates, as queries over staged rows."""
