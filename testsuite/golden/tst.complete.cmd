complete umem fi
complete findleaks -
complete umem log s
complete umem cache ses
complete umem verify session
complete bufctl -
complete findleaks lose_
