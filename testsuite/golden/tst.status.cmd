# on healthy damaged
# pick status target UMEM_DEBUG UMEM_LOGGING UMEM_OPTIONS flags flag_names stack_depth logging faults messages
umem status
umem_status -json
