# pick name flags cflags flag_names bufsize constructor destructor private
umem cache session_cache -json
source python/umem_gdb.py
findleaks lose_large
set umem exit-code on
show umem exit-code
set umem exit-code off
with print pretty on -- findleaks lose_large
set may-call-functions on
show may-call-functions
show print asm-demangle
