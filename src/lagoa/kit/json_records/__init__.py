"""JSON, by lines and as documents: strictly valid, numbers exact, structs and lists as they come."""
