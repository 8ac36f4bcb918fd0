# on plain
# keep session_cache|note|CACHE
umem verify
