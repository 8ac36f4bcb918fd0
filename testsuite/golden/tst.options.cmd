# on healthy damaged
umem whatis -v kept[8] ! sed 's/\[.*//'
vmem_seg id_space -e 1
vmem_seg id_space -l 1
umem malloc_dist -B 50000
umem malloc_dist -b 2
umem malloc_info -g -b 2 umem_alloc_1024
umem malloc_info -B 100 umem_alloc_1024
umem log -t 1 -n 1
umem log -l 1
umem log -e T-0 -n 1
umem records -t 1 -e T-0
umem records -l 1
umem records -b kept[9]
ugrep kept[0] -m 0xffffffffffffff00 -a &kept -A &kept[16]
ugrep kept[0] -M 0xf -a &kept -A &kept[16]
umem examine kept[9] X -c 2
