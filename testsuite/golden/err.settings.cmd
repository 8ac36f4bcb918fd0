set umem sort nosuch
set umem stack-depth x
set umem nosuch 1
show umem nosuch
findleaks -s nosuch
findleaks -n x
findleaks -i
findleaks -S /nosuch
