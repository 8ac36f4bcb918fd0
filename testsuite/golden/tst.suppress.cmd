# on healthy damaged
python open("$SCRATCH/rules", "w").write("leak:lose_direct\nleak:nosuch\nleak:open_sessions\n") and None
findleaks -S $SCRATCH/rules
findleaks -S $SCRATCH/rules -json
