# on plain
findleaks
umem whatis kept[0]
