umem walk round 0
umem walk round
umem walk umem_log nosuch
umem walk bufctl_history 1
umem walk allocdby
umem walk allocdby 99
umem walk vmem_alloc
umem walk leak 1
umem walk magazine nosuch
umem walk umem session_cache extra
umem walk -x
set $gone = *(struct node *)kept[0]
umem walk leak $gone
