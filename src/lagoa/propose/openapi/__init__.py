"""An OpenAPI document becomes a source: the lists that it describes, and how they are asked for."""
