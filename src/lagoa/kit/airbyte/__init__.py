"""Airbyte's protocol: connectors in environments of their own, their messages, their catalogs and states."""
