# on healthy damaged
bufctl kept[0]
bufctl -v kept[0]
bufctl -h kept[9]
bufctl -hv kept[9]
bufctl kept[9] -json -h
