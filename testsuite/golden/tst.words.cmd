# on healthy damaged
umem log transaction -n 1
umem records transaction -n 1
umem records fail
umem records slab ! head -1
umem bufctl kept[0] -l T-0
vmem_seg id_space -l T-0
vmem_seg id_space -T FREE
vmem_seg id_space -T SPAN
vmem_seg id_space -T ROTOR
vmem_seg id_space -T WALKER
vmem_seg id_space -T ALLOC -m 100
umem walk umem_ptc_512
umem walk umem_ptc_512 1
umem walk allocdby 99
umem walk freedby 99 | bufctl
umem walk depot pool_cache ! wc -l
umem walk depot pool_cache | whatis -q ! head -1
umem walk thread_free pool_cache ! wc -l
umem walk thread_free pool_cache | whatis -q ! head -1
umem walk magazine pool_cache | round ! wc -l
umem walk depot ! wc -l
