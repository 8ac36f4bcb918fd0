# on none
findleaks
umem status
umem whatis 1
findleaks -json
