# on healthy damaged
show umem
help set umem sort
set umem stack-depth 1
show umem stack-depth
bufctl -v kept[0]
umem log -b kept[0]
set umem stack-depth unlimited
show umem stack-depth
set umem sort count
show umem sort
findleaks
set umem sort age
findleaks
set umem sort bytes
findleaks -s caller
findleaks -n 1
findleaks -i lose_*
findleaks -x lose_* -i open_*
