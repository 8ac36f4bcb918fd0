# on healthy damaged
findleaks -d lose_list
findleaks -json open_sessions
findleaks nosuchfunction
findleaks 1
