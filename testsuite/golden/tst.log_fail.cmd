umalog fail
umalog fail -json
