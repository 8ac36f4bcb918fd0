umem top -x
umem top -folded
umem snapshot
umem snapshot /nosuch/directory/file
umem diff
umem diff /nosuch
umem diff a b c
umem diff -folded
umem print
umem print session_cache
umem print session_cache nosuchtype
umem print -n x session_cache long
umem print 1 long
umem break
umem break nosuch
umem break alloc -s x
umem break alloc -s 200-100
umem break alloc -b nosuch
umem break free -b 0
umem examine kept[0]
umem examine nosuch X
set $v = *(struct node *)kept[0]
output $_umem_size($v)
