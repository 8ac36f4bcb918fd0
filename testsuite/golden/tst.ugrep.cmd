# on healthy damaged
umem ugrep kept[0] -a &kept -A &kept[16]
ugrep kept[0] -v -d 1000 -a &kept -A &kept[16]
umem ugrep 0x78787878 -s 4 -a kept[9] -A kept[9]+16
