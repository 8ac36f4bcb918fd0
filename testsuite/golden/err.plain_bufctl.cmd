# on plain
bufctl 16
