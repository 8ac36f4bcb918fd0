# on healthy damaged
umem walk umem_cache | umem_verify ! grep session
umem_cache | umem_verify ! grep session
umem walk bufctl session_cache | bufctl
umem walk bufctl session_cache | bufctl -c open_sessions -v
umem walk bufctl | bufctl -c keep_some
umem walk bufctl | bufctl -c nosuchfunction
findleaks | leakbuf | whatis -q
findleaks lose_direct | leak | bufctl
findleaks | bufctl -v -c lose_large
umem walk umem session_cache | whatis | bufctl | whatis -q
ugrep kept[0] | whatis -q ! grep kept
umem log slab | whatis -q ! grep -q 'is in a log$' && echo yes
umem cache | cache | cache ! grep session
umem walk umem session_cache | print struct node
umem walk umem session_cache | print struct node next
umem walk umem session_cache | examine 4X
umem whatis '(long)kept[0] | 0' -q
printf "%d\n", $_umem_found
umem walk umem_cache | verify ! true
printf "%d\n", $_umem_corrupt
umem walk depot session_cache | whatis
umem walk umem ! head -1
umem refs kept[5] | whatis -q
umem path *(long*)kept[5] | whatis -q
umem top -sites -n 30 | whatis -q ! grep session_cache
