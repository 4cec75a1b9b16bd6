"""The block store over a bucket and a database."""
