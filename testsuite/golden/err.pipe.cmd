umem cache |
umem | cache
umem cache | | cache
umem cache | nosuch
umem cache | status
umem status | cache
umem cache -json | cache
umem cache !
umem walk 'umem
umem walk nosuch
umem walk umem nosuch
umem walk umem_slab
umem walk umem_cpu
umem walk umem_cache session_cache
umem walk vmem_seg nosuch
umem walk thread_cache 99
umem walk umem session_cache | umem_cache
umem walk umem session_cache | bufctl -e soon
umem walk umem session_cache | walk nosuch -json
umem walk umem session_cache | print struct nosuch
umem walk umem session_cache | examine X -json
umem examine kept[0] Q
umem help nosuch
mdb
mdb kept
mdb ::nosuch
mdb nosuch::whatis
mdb libm`main::whatis
mdb ::whatis
mdb 1 2::whatis
mdb ::walk umem session_cache | kept::whatis
umem owns kept[5] | whatis
