# on healthy damaged
umem log -c lose_large
umem_log -c open_sessions
umem log -t 9
umem records -c keep_some -n 2
