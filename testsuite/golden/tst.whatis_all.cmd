# on healthy damaged
umem whatis -qa kept[0]+8 ! sed "s,+0x[0-9a-f]*. in anon, in anon,"
umem whatis -a kept[8] ! grep -v anonymous
umem whatis -qv kept[0]
umem whatis 0x10
umem whatis -q 0x10
umem whatis -v 0x10
umem whatis -a 0x10
umem whatis 0x20
umem whatis -aq id_arena ! grep -v anonymous
umem whatis -a main
umem whatis -qik kept[0]
umem whatis -a -json 0x10
umem walk umem session_cache | whatis -qa ! grep -v anonymous
mdb main::whatis -k
