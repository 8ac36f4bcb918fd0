umem walkers
