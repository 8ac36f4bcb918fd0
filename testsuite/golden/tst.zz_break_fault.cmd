# on damaged
# keep ^fault|    alloc of|reakpoint|at scenario|BUFADDR|^error
# at live remote
umem break error
continue
umem event
umem event | bufctl
umem break delete
