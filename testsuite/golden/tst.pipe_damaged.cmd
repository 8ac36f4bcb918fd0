# on damaged
umem walk umem_cache | umem_verify ! grep corrupt
umem walk umem_cache | umem_verify -v ! grep -A1 buffer.0x
umem verify | bufctl
umem verify umem_alloc_96 | whatis -q
printf "%d\n", $_umem_found
