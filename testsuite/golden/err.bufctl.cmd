bufctl main
bufctl 0
bufctl nosuch
