# on healthy damaged
# keep written|lose_|keep_some|open_sessions|^[A-Za-z_]+$|kept
python import gzip
python show = lambda name: print(open("$SCRATCH/" + name).read())
python page = lambda name: print("page" if "</html>" in open("$SCRATCH/" + name).read() else "no page")
python strings = lambda name: print("\n".join(s for s in ("lose_large", "keep_some", "inuse_space", "retained_space") if s.encode() in gzip.open("$SCRATCH/" + name).read()))
findleaks -folded $SCRATCH/leaks.folded -pprof $SCRATCH/leaks.pprof -html $SCRATCH/leaks.html
python show("leaks.folded")
python strings("leaks.pprof")
python page("leaks.html")
umem users -folded $SCRATCH/users.folded -pprof $SCRATCH/users.pprof -html $SCRATCH/users.html session_cache umem_alloc_1024
python show("users.folded")
python strings("users.pprof")
python page("users.html")
umem top -sites -folded $SCRATCH/top.folded -pprof $SCRATCH/top.pprof -html $SCRATCH/top.html
python show("top.folded")
python strings("top.pprof")
python page("top.html")
umem top -roots -n 1 -folded $SCRATCH/roots.folded
python show("roots.folded")
