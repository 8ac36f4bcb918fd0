# on healthy damaged
# keep NAME|id_space
umem vmem
vmem id_space
vmem id_arena
