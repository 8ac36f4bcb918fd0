# on abort
# pick faults
umem status -json
