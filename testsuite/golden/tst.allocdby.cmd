# on healthy damaged
# keep (BUFCTL|keep_some|lose_|open_sessions|free_one|^no)
allocdby 1
umem allocdby 9
freedby 1
