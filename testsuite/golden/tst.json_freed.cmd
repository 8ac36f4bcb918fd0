# on healthy damaged
# where cache umem_alloc_512
# drop thread buffers
umem freedby 1 -json
