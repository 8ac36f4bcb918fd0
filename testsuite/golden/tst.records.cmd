# on healthy damaged
umem_log -n 13
umem records -n 2
