# on healthy damaged
umem walk umem_slab session_cache | slab_free ! wc -l
umem walk leak | bufctl ! wc -l
umem walk leakbuf | whatis -q
umem walk depot ! wc -l
umem walk vmem_postfix id_space
umem walk umem_log transaction ! head -1
umem walk umem_log slab ! head -1
umem walk umem_ptc_64
