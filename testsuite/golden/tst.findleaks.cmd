# on healthy damaged
findleaks
umem findleaks
p $_umem_leaks
p $_umem_found
