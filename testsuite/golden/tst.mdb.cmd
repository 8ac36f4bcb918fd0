# on healthy damaged
mdb ::findleaks -d lose_large
mdb lose_large::findleaks
mdb scenario`lose_large::findleaks
mdb a.out`lose_large+0t4::whatis
mdb kept::whatis
mdb kept+8::whatis
mdb <rsp::whatis
mdb session_cache/p
mdb kept,2/p ! wc -w
mdb kept/2p ! wc -w
mdb ::walk umem_cache | ::umem_verify ! grep session
mdb ::walk session_cache | ::bufctl
mdb ::walk session_cache | ::print struct node next
mdb ::walk session_cache | /4X
mdb ::walk leak | ::bufctl -c lose_direct
mdb ::walk bufctl | ::bufctl -c scenario`keep_some
mdb ::umem_cache ! grep session
mdb ::dcmds ! grep findleaks
mdb ::walkers ! grep umem_log
mdb ::help findleaks ! head -1
mdb ::help walkers
mdb ::help round
mdb ::umalog -n 0t1 -json
complete mdb ::findl
complete umem walk umem_s
complete umem walk umem ses
complete umem cache | whatis -
