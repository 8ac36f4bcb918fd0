# on damaged
bufctl kept[15]
bufctl_audit kept[15]
umem refs kept[15]
umem path kept[15]
umem owns kept[15]
umem walk slab_free kept[15]
umem walk bufctl_history kept[15]
umem examine kept[15] X -c 2
