# on running
findleaks
umem status
