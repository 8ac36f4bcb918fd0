python gdb.real_write, gdb.write = gdb.write, lambda *a: (_ for _ in ()).throw(KeyboardInterrupt())
umem cache
findleaks -json
python gdb.write = gdb.real_write
findleaks lose_large
