findleaks -d
