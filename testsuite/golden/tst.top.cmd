# on healthy damaged
# keep kept|inside|sessions|keep_some|gdb|session_cache
umem top -roots -n 3
umem top -sites -n 30
umem top -sites -v -n 30
