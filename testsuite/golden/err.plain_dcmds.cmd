# on plain
umem users
umem allocdby 1
umem freedby 1
umem stat -by-age
umem log -b kept[0]
