# on healthy damaged
# where type arena
# where name id_space
# pick type name depth inuse total import allocs fail source
umem stat -json
