# on damaged
# keep CACHE|corrupt|Summary|^ *buffer|[$]
umem verify
p $_umem_found
