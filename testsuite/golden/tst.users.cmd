# on healthy damaged
umem users -e session_cache umem_alloc_1024
umausers umem_alloc_1024
umem users -f session_cache
