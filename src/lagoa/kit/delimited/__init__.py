"""Text with delimiters (CSV, TSV): every physical record accounted for, whatever the dirt."""
