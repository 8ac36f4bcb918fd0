# on healthy damaged
# at live remote
umem break alloc -s 333 -c umem_alloc_384
umem break free -b kept[9]
umem break alloc -json
umem break delete
umem break alloc -s 333
umem break error
signal 0
umem event
umem event -json
umem event | whatis -q
umem break delete
