# on healthy damaged
findleaks -json
