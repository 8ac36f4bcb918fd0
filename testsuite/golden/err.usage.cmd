findleaks -q
findleaks a b
umem bufctl
umem nosuch
umem log nosuch
umem log -n
umem log -n x
umem cache nosuch
umem cache session_cach
umem verify 0x10
umem whatis
umem whatis no_such_symbol
bufctl kept[0] -e soon
findleaks | grep x
findleaks -json -q
