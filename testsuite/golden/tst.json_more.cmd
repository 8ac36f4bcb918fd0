# on healthy damaged
# where cache session_cache
# drop thread buffers bytes count leaked_count leaked_bytes roots sites newest oldest
umem allocdby 1 -json
mdb ::findleaks -json
umem stat -by-age -json
