# on healthy damaged
umem malloc_info umem_alloc_1024
umem_malloc_info umem_alloc_1024 -b 4
umem malloc_info umem_alloc_1024 -d -json
