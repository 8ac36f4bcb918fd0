# on healthy damaged
# where name id_space
# pick name source depth quantum inuse total import succeed frees fail
umem vmem -json
