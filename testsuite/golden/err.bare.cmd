# on bare
findleaks
umastat
umem_cache
umalog
umem_verify
umem whatis main
bufctl 1
findleaks -json
