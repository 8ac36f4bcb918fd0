# on healthy damaged
# keep ^AGE
umem stat -by-age
