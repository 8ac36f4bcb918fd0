# pick cache guards corrupt damage
umem verify session_cache
umem_verify session_cache -v
umem verify -json session_cache
p $_umem_found
