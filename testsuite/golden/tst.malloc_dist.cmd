# on healthy damaged
# keep ^(1000|300000)\t|malloc size
umem_malloc_dist -d
umem malloc_dist
umem malloc_dist -g -b 3
