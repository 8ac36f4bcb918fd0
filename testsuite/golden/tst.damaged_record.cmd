# on damaged
umem whatis kept[14]
umem whatis -v kept[14] ! sed 's/\[.*//'
umem whatis -json kept[14]
bufctl kept[14]
bufctl -v kept[14]
bufctl -h kept[14]
bufctl -hv kept[14]
bufctl -json kept[14]
bufctl kept[14] -a kept[14]
bufctl_audit kept[14]
umem log -b kept[14]
umem records -b kept[14]
umem refs kept[14]
umem path kept[14]
umem owns kept[14]
umem verify -v umem_alloc_192
umem verify -json umem_alloc_192
umem users -e umem_alloc_192
umem malloc_info umem_alloc_192
umem walk bufctl umem_alloc_192
umem walk bufctl_history kept[14]
umem print kept[14] long
