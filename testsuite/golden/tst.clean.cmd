# on clean
findleaks
findleaks -json
p $_umem_leaks
