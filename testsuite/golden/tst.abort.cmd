# on abort
# keep ^Status|^Fault|^ +buffer|^{|^Flags
umem status
