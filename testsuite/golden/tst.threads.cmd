python up = gdb.newest_frame().older(); up.select()
findleaks lose_large
python print(gdb.selected_frame() == up)
