# on damaged
umem whatis kept[10]
umem whatis kept[11]
umem walk session_cache
umem print session_cache struct node next
umem refs kept[10]
umem path kept[10]
umem owns kept[0]
bufctl kept[11] -hv
umem log -b kept[11] -v
umem records -b kept[11]
findleaks
umem walk leakbuf | whatis -q
umem users -e session_cache
umem malloc_info umem_alloc_96
vmem id_space
vmem_seg id_space
