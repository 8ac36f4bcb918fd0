# on healthy damaged
umalog fail
umalog fail -json
