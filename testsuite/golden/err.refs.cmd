umem refs
umem refs 1
umem refs kept[9]
umem path 1
umem path kept[9]
umem owns 1
umem owns kept[9]
umem refs main
