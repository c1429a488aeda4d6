"""The schema of the DuckDB files, as numbered SQL scripts; `index.catalog` runs them in order."""
