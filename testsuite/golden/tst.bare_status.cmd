# on bare
umem status
umem status -json
