# keep ^AGE
umem stat -by-age
