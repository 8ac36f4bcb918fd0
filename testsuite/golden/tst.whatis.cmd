# on healthy damaged
umem whatis kept[0]
umem whatis kept[0]+1000
umem whatis inside
umem whatis kept[9]
umem whatis session_cache
umem whatis main
umem whatis &kept[2]
umem whatis $sp
umem whatis 0
umem whatis kept[8]
umem whatis main+4 | whatis
umem whatis &kept[2] | whatis
