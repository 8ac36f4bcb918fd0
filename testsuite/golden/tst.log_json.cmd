# on healthy damaged
# pick op size cache stack
umem log -n 3 -json
