findleaks lose_direct
findleaks -f lose_direct
