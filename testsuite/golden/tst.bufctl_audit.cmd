bufctl_audit kept[0]
