# on healthy damaged
umem log -b kept[9]
umem log -b kept[9] -v -n 1
umem_log -b kept[9]+499
umem log -b kept[9] -c keep_some
umem log -b kept[9] -v -json
