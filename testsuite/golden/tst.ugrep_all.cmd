# at core gcore live
# keep ^0x|found
umem ugrep kept[0]
umem ugrep 0x6b8b4567327b23c6
