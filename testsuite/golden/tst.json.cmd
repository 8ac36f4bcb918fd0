# on healthy damaged
# drop held_bytes searched_bytes
umem records -json -n 1
umem verify -json session_cache
umem print -json -n 1 session_cache struct node next
umem owns -json kept[5]
umem path -json *(long*)kept[5]
umem refs -json *(long*)kept[5]
umem malloc_info -json umem_alloc_1024
umem malloc_info -json -g umem_alloc_1024
umem malloc_info -json -d umem_alloc_1024
ugrep -json kept[0] -a &kept -A &kept[16]
bufctl_audit -json kept[0]
umem users -f -e -json session_cache
umem walk -json thread_cache
vmem_seg id_space -json
umem help -json verify
