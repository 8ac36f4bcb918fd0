# on healthy damaged
# pick type bytes count bufsize size_min size_max stack
umem users -e -json umem_alloc_1024
