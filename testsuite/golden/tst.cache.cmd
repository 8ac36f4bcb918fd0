# on healthy damaged
# keep NAME|flags
umem cache
umem cache session_cache
umem_cache session_cache
