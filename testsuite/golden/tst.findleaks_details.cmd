# on healthy damaged
findleaks -d
