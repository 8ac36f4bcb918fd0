# on healthy damaged
umalog -n 3
umem log -n 1
umem log -n 0
