# on plain
findleaks -d
findleaks -json
