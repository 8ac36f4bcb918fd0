# on clean
umem snapshot $SCRATCH/clean.snap
