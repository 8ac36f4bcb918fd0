# pick buffer op size cache
umem walk umem session_cache | whatis | bufctl -json
umem walk umem session_cache | bufctl -c keep_some -json
findleaks lose_list | leakbuf | bufctl -json
