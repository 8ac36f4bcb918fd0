# on plain
umalog
umalog fail
umem log slab
umem records
umalog -json
