# on healthy damaged
# where symbol kept
# drop count bytes leaked_count leaked_bytes roots sites
umem top -json
