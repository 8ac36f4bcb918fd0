# on healthy damaged
# keep ^(NAME|umem_cache|walk|findleaks|umem_ptc_SIZE|vmem_seg|leakbuf|Usage|verify)\b
# where name walk
umem dcmds
umem dcmds -json
umem walkers
umem walkers -json
umem help verify
umem help dcmds -json
