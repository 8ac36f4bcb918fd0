set umem sort nosuch
set umem stack-depth x
findleaks -s nosuch
findleaks -n x
findleaks -i
findleaks -S /nosuch
