# on plain
umem status
