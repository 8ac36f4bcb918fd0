# on healthy damaged
# at core gcore
umem break error
umem event
umem walk umem_cpu
umem walk umem_cpu_cache session_cache
umem examine kept[0] X -json
