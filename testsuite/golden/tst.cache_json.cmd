# on healthy damaged
# where name session_cache
# pick name flag_names bufsize align inuse
umem cache -json
