# on healthy damaged
umem refs kept[0]
umem refs kept[0]+500
umem refs inside
umem path kept[0]
umem path kept[8]
umem owns kept[0]
umem owns kept[8]
umem owns kept[5]
umem refs *(long*)kept[5]
umem path *(long*)kept[5]
