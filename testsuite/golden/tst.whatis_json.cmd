# on healthy damaged
umem whatis -json kept[0]
umem whatis -json kept[9]
umem whatis -json 0x1
