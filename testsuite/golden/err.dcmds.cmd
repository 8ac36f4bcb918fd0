umem users nosuch
umem allocdby
umem allocdby x
umem freedby 0
umem malloc_dist -b 0
umem malloc_info session_cache
umem malloc_info nosuch
umem vmem nosuch
vmem_seg
vmem_seg 0x10
vmem_seg id_space -T nosuch
umem ugrep
umem ugrep nosuch
ugrep 1 -s 3
ugrep 256 -s 1
ugrep 1 -d 1 -m 1
ugrep 1 -a 2 -A 1
umem log -b nosuch
umem log -b 1 fail
umem log -e T-x
bufctl_audit 1
umem stat -b
