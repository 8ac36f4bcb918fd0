# on healthy damaged
# at live remote
umem event
umem walk umem_cpu
umem walk umem_cpu_cache session_cache
umem examine kept[0] X -json
