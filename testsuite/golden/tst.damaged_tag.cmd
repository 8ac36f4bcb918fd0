# on damaged
umem whatis kept[13]
umem whatis kept[13]+120
bufctl kept[13]
umem log -b kept[13]
umem refs kept[13]
umem verify -v umem_alloc_112
umem verify -json umem_alloc_112
umem users -e umem_alloc_112
umem malloc_info umem_alloc_112
umem print kept[13] struct node next
output $_umem_size(kept[13])
output $_umem_state(kept[13])
