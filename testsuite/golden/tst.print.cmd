# on healthy damaged
umem print kept[0] long
umem print kept[0] struct node
umem print kept[0] struct node next
umem print kept[0] struct node "$.next == 0"
umem print -n 1 session_cache struct node next
umem print session_cache struct node "data[2]"
umem walk umem session_cache | print -n 1 struct node next
umem print kept[0] long "$ + 1"
