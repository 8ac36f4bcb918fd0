# on healthy
output $_umem_cache(kept[0])
output $_umem_cache(kept[8])
output $_umem_cache(main)
output $_umem_state(kept[0])
output $_umem_state(kept[9])
output $_umem_state(main)
output $_umem_size(kept[0])
output $_umem_size(kept[0] + 10)
output $_umem_size(main)
output $_umem_base(inside) == inside - 300
output $_umem_base(main) == 0
output $_streq($_umem_cache(kept[8]), "session_cache")
printf "%s, %s\n", $_umem_cache(kept[8]), $_umem_state(kept[9])
printf "<%s>, %s\n", $_umem_cache(main), $_umem_state(main)
output $_streq($_umem_state(kept[0]), $_umem_state(kept[9]))
set $name = $_umem_cache(kept[8])
output $_umem_cache(kept[0])
output $name
output $_umem_size(*(struct node *)kept[0])
