# on healthy damaged
umem walk session_cache
umem walk umem session_cache
umem walk umem session_cache -json
umem walk umem_slab session_cache
umem walk umem_slab_partial session_cache
umem walk bufctl session_cache
umem walk umem_hash session_cache ! wc -l
umem walk freectl session_cache ! wc -l
umem walk freemem session_cache ! wc -l
umem walk slab_free session_cache ! wc -l
umem walk depot session_cache
umem walk thread_free session_cache
umem walk magazine session_cache
umem walk magazine session_cache | round
umem walk thread_cache
umem walk umem_oversize
umem walk vmem_seg id_space
umem walk vmem_alloc id_space
umem walk vmem_free id_space
umem walk vmem_span id_space
umem walk vmem id_space
umem walk vmem | vmem ! sed 's/^[^ ]* *//; s/  .*//'
umem walk vmem_postfix umem_heap | vmem ! sed 's/^[^ ]* *//; s/  .*//'
umem walk umem_log fail
umem walk bufctl_history kept[9]
umem walk bufctl_history kept[9] | bufctl
umem walk allocdby 1 | bufctl -c lose_large
umem walk freedby 1 | bufctl -c free_one
umem walk pagemap | slab_free | whatis -q ! grep -c session_cache
