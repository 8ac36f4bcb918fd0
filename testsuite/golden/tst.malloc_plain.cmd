# on plain
umem malloc_info umem_alloc_1024
