# on healthy damaged
# keep ^ +[-+]|differ|written|CHANGE|^[+-]|^ {8}|stacks$|(lose|write)_|^(True|False)
# drop count bytes bytes_before count_before groups
umem snapshot $SCRATCH/now.snap ! sed 's/ [0-9].*//'
umem snapshot $SCRATCH/now.snap -json
umem diff $SCRATCH/now.snap
umem diff $SCRATCH/clean.snap
umem diff -d -n 2 $SCRATCH/clean.snap
umem diff -n 1 $SCRATCH/now.snap $SCRATCH/clean.snap
umem diff -json -n 1 $SCRATCH/clean.snap
umem diff -folded $SCRATCH/diff.folded -pprof $SCRATCH/diff.pprof -html $SCRATCH/diff.html -n 1 $SCRATCH/clean.snap
python import gzip
python print(open("$SCRATCH/diff.folded").read())
python print(b"lose_large" in gzip.open("$SCRATCH/diff.pprof").read())
python print("</html>" in open("$SCRATCH/diff.html").read())
