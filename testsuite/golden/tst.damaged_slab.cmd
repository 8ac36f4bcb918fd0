# on damaged
# keep NAME|CACHE|broken|damage|^0x|slab|error|flags|buffers|ADDR|no |note
umem whatis kept[15]
umem walk broken_cache
umem walk umem_slab broken_cache
umem walk bufctl broken_cache
umem walk umem_hash broken_cache
umem walk magazine broken_cache
umem walk magazine broken_cache | round | whatis -q
umem walk thread_free broken_cache
umem walk freemem broken_cache
umem cache broken_cache
umem stat
umem verify broken_cache
umem verify -v broken_cache
umem verify -json broken_cache
umem users -e broken_cache
umem print broken_cache long
umem log -b kept[15]
ugrep kept[15] -a &kept -A &kept[16]
umem log -c write_over_slab
