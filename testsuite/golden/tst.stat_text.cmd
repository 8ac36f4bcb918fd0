# on healthy damaged
# keep ^(THREAD|CACHE|ARENA|id_space)
umem stat
