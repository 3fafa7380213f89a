"""XML: records by their path, strictly well-formed, nothing fetched and nothing expanded."""
