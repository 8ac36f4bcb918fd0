# on healthy damaged
# keep NAME|CACHE|left out|umem_alloc_262144
umem cache
umem cache -a
umem stat
umem stat -a
