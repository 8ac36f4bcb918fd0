# on healthy damaged
# keep suppress|searched in|lose_list
python open("$SCRATCH/rules", "w").write("leak:lose_direct\nleak:nosuch\nleak:open_sessions\n") and None
findleaks -f -v -n 1 -S $SCRATCH/rules lose_list ! sed 's/:.*searched in.*/: searched in .../'
