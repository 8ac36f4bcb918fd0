# on healthy damaged
vmem_seg id_space
vmem_seg id_arena -s -T ALLOC
vmem_seg id_space -v -m 15 -M 30
vmem_seg id_space -c use_arena -t 1 -json
