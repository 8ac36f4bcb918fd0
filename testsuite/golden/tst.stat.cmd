# on healthy damaged
# where name session_cache
# pick type name bufsize inuse arena fail
umastat -json
