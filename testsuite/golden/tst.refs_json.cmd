# on healthy damaged
# pick step to_offset where kind symbol symbol_offset cache leaked
umem refs kept[0] -json
umem path kept[8] -json
umem refs kept[1] -json
