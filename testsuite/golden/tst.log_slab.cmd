# on healthy damaged
# keep ^T-.*(session_cache|alloc_1024)
umalog slab
