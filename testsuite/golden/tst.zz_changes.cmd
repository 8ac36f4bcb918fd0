# at live remote
set var kept[0] = 0
findleaks keep_some
p $_umem_leaks
set var kept[0] = 1
findleaks keep_some
set var kept[1] = kept[2]
findleaks keep_some
