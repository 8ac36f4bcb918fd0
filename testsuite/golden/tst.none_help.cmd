# on none
umem dcmds ! head -2
umem walkers ! head -2
umem help leakbuf
mdb ::help leak
mdb ::walkers ! head -1
