# on healthy damaged
# keep RETAINED|RETAINED
umem top -r -n 1
umem top -s -n 1
