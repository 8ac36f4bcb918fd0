# on damaged
umem verify -v umem_alloc_96
