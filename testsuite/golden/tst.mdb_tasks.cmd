# keep session|corrupt|^error|lose_|keep_some|free_one|kept|Total|^0xADDRESS|alloc of|free of|next
python import gdb; at = lambda e: "%x" % (int(gdb.parse_and_eval("(long)(%s)" % e)) % (1 << 64))
python mdb = lambda line, *e: gdb.execute("mdb " + line % tuple(at(x) for x in e))
mdb ::umem_verify
mdb ::walk umem_cache | ::umem_verify
python mdb("%s::umem_verify", "session_cache")
mdb ::findleaks -d
python gdb.set_convenience_variable("ctl", int(gdb.execute("umem walk leak", to_string=True).split()[1], 16))
python mdb("%s::walk leak | ::bufctl -v", "$ctl")
python mdb("%s::walk leakbuf | ::print struct node", "$ctl")
python mdb("%s::walk leakbuf | /20X", "$ctl")
mdb lose_direct::findleaks -d
python mdb("%s::whatis", "kept[0]")
python mdb("%s::bufctl -h -v", "kept[9]")
python mdb("::walk umem_log | ::bufctl -v -a %s", "kept[0]")
mdb ::walk bufctl | ::bufctl -c keep_some
mdb ::umem_cache ! grep session
python mdb("%s::walk umem | ::print struct node", "session_cache")
mdb ::walk session_cache
python mdb("%s::ugrep | ::whatis -q", "kept[0]")
python mdb("%s::ugrep -d 0t1000 -a %s -A %s", "kept[0]", "&kept", "&kept[16]")
python gdb.set_convenience_variable("arena", int(gdb.parse_and_eval("(long)id_arena")))
python mdb("%s::walk vmem_alloc | ::vmem_seg -s -m 14", "$arena")
