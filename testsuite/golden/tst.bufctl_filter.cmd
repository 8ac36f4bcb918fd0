# on healthy damaged
bufctl -h kept[9] -c free_one
bufctl -h kept[9] -c keep_some
bufctl kept[0] -t 1
bufctl kept[0] -t 99
bufctl kept[0] -l 1
bufctl kept[0] -l 0
bufctl kept[0] -e 1.5
bufctl kept[0] -a kept[0]
bufctl kept[0] -a kept[1]
