# on healthy damaged
findleaks lose_direct
findleaks -f lose_direct
