"""The schema of the DuckDB files, as numbered SQL scripts; `index.tables` runs them in order."""
