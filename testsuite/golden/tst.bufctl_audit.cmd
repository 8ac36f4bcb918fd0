# on healthy damaged
bufctl_audit kept[0]
