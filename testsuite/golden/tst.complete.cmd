complete umem fi
complete findleaks -
complete umem log s
complete umem cache ses
complete umem verify session
complete bufctl -
complete findleaks lose_
complete umem findleaks -s c
complete umem walk umem_cache | umem_v
complete umem findleaks -d | leakb
complete umem log -c lose_
complete umem break alloc -c ses
