# on healthy damaged
# where size 1000
# drop buffers bytes
umem malloc_dist -d -json
