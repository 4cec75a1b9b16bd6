"""Archives of CSV and Parquet files, in a bucket or over HTTPS, asked like a vendor."""
