# on healthy damaged
# where high 524287
# drop buffers bytes
umem malloc_dist -json
umem malloc_dist -json -g -B 1000
