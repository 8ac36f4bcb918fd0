findleaks -json
